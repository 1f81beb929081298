import { z } from 'zod';
import { closestWord } from '../lib/closest.ts';
import { fieldOf, knownKeys, memberSchema, unwrap } from './declare.ts';
import { pathKey, type Substitution } from './placeholders.ts';
import { isSecretPath } from './secrets.ts';

/** Something wrong at a path; `onKey` when it is the key itself that is wrong. */
export interface PathProblem {
  readonly path: readonly PropertyKey[];
  readonly message: string;
  readonly onKey?: true;
}

export interface Validated<T> {
  /** Undefined when there are problems. */
  readonly value: T | undefined;
  readonly problems: readonly PathProblem[];
}

/** Names that sections had in 2023. */
const OLD_SECTIONS: Readonly<Record<string, string>> = { connections: 'targets', applier: 'processors' };

/** Checks filled-in content against its declaration and tells every problem in the words of the configuration. */
export function validate<T>(schema: z.ZodType<T>, substitution: Substitution): Validated<T> {
  const { value } = substitution;
  if (value === null || typeof value !== 'object' || Array.isArray(value)) {
    return { value: undefined, problems: [{ path: [], message: `the file must be a map, not ${kindOf(value)}` }] };
  }
  const result = schema.safeParse(value);
  if (result.success) return { value: result.data, problems: [] };
  const problems = result.error.issues.flatMap((issue) => explain(issue, schema, substitution));
  // What cannot be filled in where it is not used is no problem, and then the content is used as it stands.
  return problems.length === 0 ? { value: value as T, problems } : { value: undefined, problems };
}

function explain(issue: z.core.$ZodIssue, schema: z.ZodType, substitution: Substitution): PathProblem[] {
  if (issue.code === 'unrecognized_keys') {
    const parent = schemaAt(schema, substitution.value, issue.path);
    return issue.keys.map((key) => ({
      path: [...issue.path, key],
      message: unknownKey(key, issue.path, knownKeys(parent ?? schema, valueAt(substitution.value, issue.path))),
      onKey: true,
    }));
  }
  const path = issue.path;
  if (substitution.unresolved.has(pathKey(path))) return [];
  const message = wrongValue(path, schemaAt(schema, substitution.value, path), substitution, typeChoices(issue));
  return [{ path, message }];
}

/** The values of `type` that a map by type knows, when it is the type that is wrong. */
function typeChoices(issue: z.core.$ZodIssue): string | undefined {
  if (issue.code !== 'invalid_union' || issue.inclusive === false || issue.discriminator === undefined)
    return undefined;
  const options = (issue.options ?? []).filter((option) => option !== undefined);
  return `one of ${options.map((option) => `\`${String(option)}\``).join(', ')}`;
}

function unknownKey(key: string, parent: readonly PropertyKey[], known: readonly string[]): string {
  const where = parent.length === 0 ? '' : ` in \`${formatPath(parent)}\``;
  const renamed = parent.length === 0 ? OLD_SECTIONS[key] : undefined;
  if (renamed !== undefined) return `unknown key \`${key}\`: this section of the 2023 format is now \`${renamed}\``;
  const close = closestWord(key, known);
  if (close !== undefined) return `unknown key \`${key}\`${where}; did you mean \`${close}\`?`;
  const list =
    known.length > 0 && known.length <= 12 ? `; known are ${known.map((name) => `\`${name}\``).join(', ')}` : '';
  return `unknown key \`${key}\`${where}${list}`;
}

function wrongValue(
  path: readonly PropertyKey[],
  schema: z.ZodType | undefined,
  substitution: Substitution,
  choices: string | undefined,
): string {
  const value = valueAt(substitution.value, path);
  const expects = choices ?? (schema === undefined ? 'something else' : (fieldOf(schema).expects ?? 'something else'));
  const name = `\`${formatPath(path)}\``;
  if (value === undefined) return `${name} is missing; it must be ${expects}`;
  if (value === null) return `${name} has no value; it must be ${expects}`;
  const written = substitution.written.get(pathKey(path));
  if (written !== undefined) return `${name} must be ${expects}, and the value of \`${written}\` is not`;
  const secret = isSecretPath(path, schema);
  const quotes =
    typeof value !== 'object' && typeof value !== 'string' && wantsText(schema) ? '; put it in quotes' : '';
  const close = typeof value === 'string' && !secret ? closestWord(value, choicesOf(schema)) : undefined;
  const hint = close === undefined ? quotes : `; did you mean \`${close}\`?`;
  const actual = secret ? kindOf(value) : shown(value);
  return expects.startsWith(actual) ? `${name} must be ${expects}` : `${name} must be ${expects}, not ${actual}${hint}`;
}

function wantsText(schema: z.ZodType | undefined): boolean {
  return schema !== undefined && unwrap(schema) instanceof z.ZodString;
}

function choicesOf(schema: z.ZodType | undefined): string[] {
  const inner = schema === undefined ? undefined : unwrap(schema);
  return inner instanceof z.ZodEnum ? inner.options.map(String) : [];
}

function kindOf(value: unknown): string {
  if (value === null || value === undefined) return 'empty';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'a map';
  if (value === '') return 'empty text';
  return typeof value === 'string' ? 'this text' : `a ${typeof value}`;
}

function shown(value: unknown): string {
  if (typeof value === 'object' || value === '') return kindOf(value);
  const text = typeof value === 'string' ? JSON.stringify(value) : String(value);
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}

/** `processors.advanced.target.batch.size`, `metadata.tags[2]`. */
export function formatPath(path: readonly PropertyKey[]): string {
  let text = '';
  for (const step of path) {
    if (typeof step === 'number') text += `[${step}]`;
    else text += text === '' ? String(step) : `.${String(step)}`;
  }
  return text;
}

function valueAt(root: unknown, path: readonly PropertyKey[]): unknown {
  let value = root;
  for (const step of path) {
    if (value === null || typeof value !== 'object' || !Object.hasOwn(value, step)) return undefined;
    value = (value as Record<PropertyKey, unknown>)[step];
  }
  return value;
}

function schemaAt(root: z.ZodType, value: unknown, path: readonly PropertyKey[]): z.ZodType | undefined {
  let schema: z.ZodType | undefined = root;
  let current = value;
  for (const step of path) {
    if (schema === undefined) return undefined;
    schema = memberSchema(schema, step, current);
    current = valueAt(current, [step]);
  }
  return schema;
}
