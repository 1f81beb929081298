import type { z } from 'zod';
import { fieldOf, memberSchema } from './declare.ts';

/** What is secret is said where it is declared; free-form properties are judged by their name. */

/** Stands for a secret wherever one would be shown. */
export const HIDDEN = '********';

const SECRET_NAME = /passw|passphrase|secret|token|credential|private[._-]?key/i;

/** Whether the value at a path must not be shown. */
export function isSecretPath(path: readonly PropertyKey[], schema: z.ZodType | undefined): boolean {
  if (schema !== undefined) {
    const { secret, placeholder } = fieldOf(schema);
    if (secret === true) return true;
    // Where a secret is, is none.
    if (placeholder === 'file') return false;
  }
  return SECRET_NAME.test(String(path.at(-1) ?? ''));
}

/** Where a path of a key is expected the key itself may stand: then it is the text that is secret, not the place. */
function isPrivateKey(value: unknown): value is string {
  return typeof value === 'string' && /-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(value);
}

/** Only placeholders: shows where the secret comes from, not the secret. */
const ONLY_PLACEHOLDERS = /^(?:\$\{[^}]*\})+$/;

/** The password inside a url, `scheme://user:password@…`. */
const URL_PASSWORD = /^([a-z][\w+.-]*:\/\/[^:@/]*:)(.*)(@)/is;

function isUrl(schema: z.ZodType | undefined): boolean {
  return schema !== undefined && fieldOf(schema).url === true;
}

function hideText(text: string, url: boolean): string {
  if (text === '' || ONLY_PLACEHOLDERS.test(text)) return text;
  if (!url) return HIDDEN;
  const password = URL_PASSWORD.exec(text)?.[2];
  if (password === undefined || ONLY_PLACEHOLDERS.test(password)) return text;
  return text.replace(URL_PASSWORD, `$1${HIDDEN}$3`);
}

/** A copy of `content` (as written in a file) in which secrets are replaced; placeholders stay. */
export function redact(content: unknown, schema: z.ZodType | undefined, path: readonly PropertyKey[] = []): unknown {
  if (content === null || typeof content !== 'object') {
    if (isPrivateKey(content)) return HIDDEN;
    if (content === null || !isSecretPath(path, schema) || typeof content === 'boolean') return content;
    return typeof content === 'string' ? hideText(content, isUrl(schema)) : HIDDEN;
  }
  const member = (key: PropertyKey, inner: unknown) =>
    redact(inner, schema === undefined ? undefined : memberSchema(schema, key, content), [...path, key]);
  if (Array.isArray(content)) return content.map((inner, index) => member(index, inner));
  return Object.fromEntries(Object.entries(content).map(([key, inner]) => [key, member(key, inner)]));
}

/** Every secret value in filled-in content, in all spellings in which it may turn up. */
export function secretsIn(
  content: unknown,
  schema: z.ZodType | undefined,
  path: readonly PropertyKey[] = [],
): string[] {
  if (typeof content === 'string' || typeof content === 'number') {
    if (isPrivateKey(content)) return [content];
    return isSecretPath(path, schema) ? spellings(String(content), isUrl(schema)) : [];
  }
  if (content === null || typeof content !== 'object') return [];
  return Object.entries(content).flatMap(([key, inner]) =>
    secretsIn(inner, schema === undefined ? undefined : memberSchema(schema, key, content), [...path, key]),
  );
}

function spellings(text: string, url: boolean): string[] {
  const secret = url ? (URL_PASSWORD.exec(text)?.[2] ?? '') : text;
  if (secret === '') return [];
  const all = new Set([secret]);
  if (!url) all.add(encodeURIComponent(secret.toWellFormed()));
  try {
    all.add(decodeURIComponent(secret));
  } catch {
    // Not percent-encoded: the text itself is all there is.
  }
  return [...all];
}
