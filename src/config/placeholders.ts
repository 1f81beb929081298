import { readFileSync } from 'node:fs';
import { resolve as resolvePath } from 'node:path';
import { z } from 'zod';
import { fieldOf, memberSchema, unwrap } from './declare.ts';
import type { Environment } from './types.ts';

/**
 * `${NAME}` in a text stands for a variable or a secret, `$${` for a literal `${`. A value that is one placeholder and nothing
 * else may stand where a number or a boolean is expected. `${secret:PROVIDER:PATH:FIELD}` names a field of a secret provider.
 * The forms of 2023, `${env:NAME}`, `${file:PATH}`, `${file:PATH:PROPERTY}` and `${secrets:NAME}`, still work.
 */
export interface Substitution {
  /** The content with everything filled in. */
  readonly value: unknown;
  /** By {@link pathKey}: the text as written, for values that hold a placeholder. */
  readonly written: ReadonlyMap<string, string>;
  /** Paths whose placeholder could not be filled; whatever else is wrong there follows from that. */
  readonly unresolved: ReadonlySet<string>;
  readonly problems: readonly { path: readonly PropertyKey[]; message: string }[];
  readonly notices: readonly { path: readonly PropertyKey[]; message: string }[];
  /** Absolute paths of files that values were read from. */
  readonly files: readonly string[];
}

/** Where placeholders find their values. */
export interface Resolution {
  /** Values by name; those of secret providers by `secret:PROVIDER:PATH:FIELD`. */
  readonly env: Environment;
  /** Why there is no value of a name, where more is known than that: half a sentence. */
  readonly whyMissing?: ((name: string) => string | undefined) | undefined;
}

export function pathKey(path: readonly PropertyKey[]): string {
  return JSON.stringify(path);
}

interface Run extends Resolution {
  readonly files: string[];
  /** Folder of the file, where relative paths start. */
  readonly folder: string;
  readonly written: Map<string, string>;
  readonly unresolved: Set<string>;
  readonly problems: { path: readonly PropertyKey[]; message: string }[];
  readonly notices: { path: readonly PropertyKey[]; message: string }[];
}

/** Fills in all placeholders of `content`. A variable that is not set is a problem, except where rdi does not use the value. */
export function substitute(
  content: unknown,
  schema: z.ZodType,
  { env, whyMissing }: Resolution,
  folder: string,
): Substitution {
  const found = { files: [], written: new Map(), unresolved: new Set<string>(), problems: [], notices: [] };
  const run: Run = { env, whyMissing, folder, ...found };
  return { value: substituteValue(run, content, schema, [], false), ...found };
}

function substituteValue(
  run: Run,
  value: unknown,
  schema: z.ZodType | undefined,
  path: readonly PropertyKey[],
  unused: boolean,
): unknown {
  const idle = unused || (schema !== undefined && fieldOf(schema).noEffect !== undefined);
  if (typeof value === 'string') {
    return value.includes('${') ? substituteText(run, value, schema, path, idle) : readBoolean(value, schema);
  }
  if (value === null || typeof value !== 'object') return value;
  const member = (key: PropertyKey, inner: unknown) => {
    const innerSchema = schema === undefined ? undefined : memberSchema(schema, key, value);
    return substituteValue(run, inner, innerSchema, [...path, key], idle);
  };
  if (Array.isArray(value)) return value.map((inner, index) => member(index, inner));
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, member(key, inner)]));
}

/** RDI reads YAML 1.1, where `yes` and `on` are booleans; ours is 1.2, where they are text. */
function readBoolean(text: string, schema: z.ZodType | undefined): string | boolean {
  if (schema === undefined || !(unwrap(schema) instanceof z.ZodBoolean)) return text;
  if (/^(?:yes|on)$/i.test(text)) return true;
  return /^(?:no|off)$/i.test(text) ? false : text;
}

const PLACEHOLDER = /\$\$\{|\$\{([^}]*)(\}?)/g;

function substituteText(
  run: Run,
  text: string,
  schema: z.ZodType | undefined,
  path: readonly PropertyKey[],
  idle: boolean,
): unknown {
  let failed = false;
  let found = false;
  const fail = (message: string) => {
    failed = true;
    if (!idle) run.problems.push({ path, message });
    return '';
  };
  const filled = text.replaceAll(PLACEHOLDER, (match, inside: string | undefined, close: string | undefined) => {
    if (inside === undefined) return '${';
    found = true;
    if (close !== '}') return fail('a placeholder has no closing `}`; write `$${` for a literal `${`');
    return lookUp(run, inside, path, fail) ?? match;
  });
  if (found) run.written.set(pathKey(path), text);
  if (failed) {
    run.unresolved.add(pathKey(path));
    return text;
  }
  return isWhole(text) && schema !== undefined ? convert(filled, schema) : filled;
}

/** Whether a text is one placeholder and nothing else. */
function isWhole(text: string): boolean {
  return /^\$\{[^}]*\}$/.test(text);
}

/** Variables arrive as text; where a number or boolean belongs, text that reads as one becomes it. */
export function convert(text: string, schema: z.ZodType): unknown {
  const inner = unwrap(schema);
  const wanted = inner instanceof z.ZodUnion ? (inner.options[0] as z.ZodType) : inner;
  if (wanted instanceof z.ZodNumber && /^-?\d+(?:\.\d+)?$/.test(text)) return Number(text);
  if (inner instanceof z.ZodBoolean && (text === 'true' || text === 'false')) return text === 'true';
  return text;
}

const NAME = /^[A-Za-z_][A-Za-z0-9_.-]*$/;

type Fail = (message: string) => string;

function lookUp(run: Run, inside: string, path: readonly PropertyKey[], fail: Fail): string {
  const [kind, rest] = splitOnce(inside);
  if (rest !== undefined && kind === 'secret') return ofProvider(run, inside, fail);
  if (rest === undefined || (kind !== 'env' && kind !== 'file' && kind !== 'secrets')) {
    if (!NAME.test(inside))
      return fail(`\`\${${inside}}\` is not the name of a variable; write \`$\${\` for a literal \`\${\``);
    return variableOf(run, inside) ?? fail(missing(run, inside, `the variable \`${inside}\` is not set`));
  }
  run.notices.push({ path, message: `\`\${${kind}:…}\` is a form of 2023; use \`\${NAME}\` and a variable` });
  if (kind === 'secrets') return oldSecret(run, rest, fail);
  return kind === 'env' ? oldVariable(run, rest, fail) : oldFile(run, rest, fail);
}

/** Only what was put there: `${constructor}` is no variable. */
function variableOf({ env }: Run, name: string): string | undefined {
  return Object.hasOwn(env, name) ? env[name] : undefined;
}

function missing({ whyMissing }: Run, name: string, what: string): string {
  const why = whyMissing?.(name);
  return why === undefined ? what : `${what}: ${why}`;
}

/** `secret:PROVIDER:PATH:FIELD`; a path has no colon at its ends, and a field none at all. */
const OF_PROVIDER = /^secret:[^:]+:[^:](?:.*[^:])?:[^:]+$/;

function ofProvider(run: Run, inside: string, fail: Fail): string {
  if (!OF_PROVIDER.test(inside)) {
    return fail(`\`\${${inside}}\` must have the form \`\${secret:PROVIDER:PATH:FIELD}\``);
  }
  return variableOf(run, inside) ?? fail(missing(run, inside, `\`\${${inside}}\` has no value`));
}

/** RDI of 2023 had one secret, which it named after the target. */
function oldSecret(run: Run, name: string, fail: Fail): string {
  const today = name === 'target-password' ? 'TARGET_DB_PASSWORD' : name;
  return (
    variableOf(run, name) ?? variableOf(run, today) ?? fail(missing(run, today, `the secret \`${today}\` is not set`))
  );
}

function splitOnce(text: string): [string, string | undefined] {
  const colon = text.indexOf(':');
  return colon < 0 ? [text, undefined] : [text.slice(0, colon), text.slice(colon + 1)];
}

/** RDI of 2023 put `REDIS_DI_` before names that lacked it. */
function oldVariable(run: Run, name: string, fail: Fail): string {
  const prefixed = name.startsWith('REDIS_DI_') ? name : `REDIS_DI_${name}`;
  const both = prefixed === name ? `\`${name}\` is` : `\`${prefixed}\` (or \`${name}\`) is`;
  return variableOf(run, prefixed) ?? variableOf(run, name) ?? fail(`the variable ${both} not set`);
}

function oldFile(run: Run, reference: string, fail: Fail): string {
  const whole = readText(run, reference);
  if (whole !== undefined) return whole.replace(/\r?\n$/, '');
  const colon = reference.lastIndexOf(':');
  const file = colon < 0 ? reference : reference.slice(0, colon);
  const properties = colon < 0 ? undefined : readText(run, file);
  if (properties === undefined) return fail(`the file \`${file}\` cannot be read`);
  const name = reference.slice(colon + 1);
  for (const line of properties.split(/\r?\n/)) {
    const match = /^\s*([^#!\s=:][^\s=:]*)\s*[=:]?\s*(.*)$/.exec(line);
    if (match?.[1] === name) return match[2] ?? '';
  }
  return fail(`the file \`${file}\` has no property \`${name}\``);
}

function readText(run: Run, file: string): string | undefined {
  const path = resolvePath(run.folder, file);
  try {
    const text = readFileSync(path, 'utf8');
    run.files.push(path);
    return text;
  } catch {
    return undefined;
  }
}

/** Names that placeholders in `content` refer to, each once: of variables and secrets, and references to providers. */
export function referredNames(content: unknown): string[] {
  const names = new Set<string>();
  const visit = (value: unknown): void => {
    if (typeof value === 'string') {
      for (const [, inside] of value.matchAll(PLACEHOLDER)) if (inside !== undefined) names.add(nameOf(inside));
    } else if (value !== null && typeof value === 'object') {
      for (const inner of Object.values(value)) visit(inner);
    }
  };
  visit(content);
  return [...names].filter((name) => NAME.test(name) || OF_PROVIDER.test(name));
}

function nameOf(inside: string): string {
  const [kind, rest] = splitOnce(inside);
  if (rest === undefined) return inside;
  if (kind === 'env') return rest.startsWith('REDIS_DI_') ? rest : `REDIS_DI_${rest}`;
  if (kind === 'secrets') return rest === 'target-password' ? 'TARGET_DB_PASSWORD' : rest;
  return inside;
}
