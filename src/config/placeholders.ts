import { readFileSync } from 'node:fs';
import { resolve as resolvePath } from 'node:path';
import { z } from 'zod';
import { fieldOf, memberSchema, unwrap } from './declare.ts';
import type { Environment } from './types.ts';

/**
 * `${NAME}` in a text stands for a variable of the process, `$${` for a literal `${`. A value that is one placeholder and
 * nothing else may stand where a number or a boolean is expected. The forms of 2023, `${env:NAME}`, `${file:PATH}` and
 * `${file:PATH:PROPERTY}`, still work.
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
}

export function pathKey(path: readonly PropertyKey[]): string {
  return JSON.stringify(path);
}

interface Run {
  readonly env: Environment;
  /** Folder of the file, where relative paths start. */
  readonly folder: string;
  readonly written: Map<string, string>;
  readonly unresolved: Set<string>;
  readonly problems: { path: readonly PropertyKey[]; message: string }[];
  readonly notices: { path: readonly PropertyKey[]; message: string }[];
}

/** Fills in all placeholders of `content`. A variable that is not set is a problem, except where rdi does not use the value. */
export function substitute(content: unknown, schema: z.ZodType, env: Environment, folder: string): Substitution {
  const run: Run = { env, folder, written: new Map(), unresolved: new Set(), problems: [], notices: [] };
  return { value: substituteValue(run, content, schema, [], false), ...run };
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

function lookUp(run: Run, inside: string, path: readonly PropertyKey[], fail: (message: string) => string): string {
  const [kind, rest] = splitOnce(inside);
  if (rest === undefined || (kind !== 'env' && kind !== 'file' && kind !== 'secrets')) {
    if (!NAME.test(inside))
      return fail(`\`\${${inside}}\` is not the name of a variable; write \`$\${\` for a literal \`\${\``);
    return run.env[inside] ?? fail(`the variable \`${inside}\` is not set`);
  }
  if (kind === 'secrets') {
    return fail(
      `\`\${${inside}}\` is a form of 2023 that needs its secret store; use a variable, for example \`\${TARGET_DB_PASSWORD}\``,
    );
  }
  run.notices.push({ path, message: `\`\${${kind}:…}\` is a form of 2023; use \`\${NAME}\` and a variable` });
  return kind === 'env' ? oldVariable(run, rest, fail) : oldFile(run, rest, fail);
}

function splitOnce(text: string): [string, string | undefined] {
  const colon = text.indexOf(':');
  return colon < 0 ? [text, undefined] : [text.slice(0, colon), text.slice(colon + 1)];
}

/** RDI of 2023 put `REDIS_DI_` before names that lacked it. */
function oldVariable(run: Run, name: string, fail: (message: string) => string): string {
  const prefixed = name.startsWith('REDIS_DI_') ? name : `REDIS_DI_${name}`;
  const both = prefixed === name ? `\`${name}\` is` : `\`${prefixed}\` (or \`${name}\`) is`;
  return run.env[prefixed] ?? run.env[name] ?? fail(`the variable ${both} not set`);
}

function oldFile(run: Run, reference: string, fail: (message: string) => string): string {
  const whole = readText(run.folder, reference);
  if (whole !== undefined) return whole.replace(/\r?\n$/, '');
  const colon = reference.lastIndexOf(':');
  const file = colon < 0 ? reference : reference.slice(0, colon);
  const properties = colon < 0 ? undefined : readText(run.folder, file);
  if (properties === undefined) return fail(`the file \`${file}\` cannot be read`);
  const name = reference.slice(colon + 1);
  for (const line of properties.split(/\r?\n/)) {
    const match = /^\s*([^#!\s=:][^\s=:]*)\s*[=:]?\s*(.*)$/.exec(line);
    if (match?.[1] === name) return match[2] ?? '';
  }
  return fail(`the file \`${file}\` has no property \`${name}\``);
}

function readText(folder: string, file: string): string | undefined {
  try {
    return readFileSync(resolvePath(folder, file), 'utf8');
  } catch {
    return undefined;
  }
}
