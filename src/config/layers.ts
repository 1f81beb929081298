import type { z } from 'zod';
import type { ConfigProblem } from '../errors.ts';
import { memberSchema } from './declare.ts';
import { INSTANCE_OPTIONS } from './instance-options.ts';
import { convert, pathKey } from './placeholders.ts';
import { placed } from './problems.ts';
import { instanceSchema } from './schema-instance.ts';
import type { Environment, InstanceOption } from './types.ts';
import type { PathProblem } from './validate.ts';
import type { YamlFile } from './yaml-file.ts';

/** The content of a file with variables and flags laid over it. */
export interface Layered {
  readonly value: unknown;
  /** Whether the value at a path stands in the file. */
  readonly isFromFile: (path: readonly PropertyKey[]) => boolean;
  /** The problem at its place: in the file, or at the flag or variable that holds the value. */
  readonly place: (file: YamlFile, problem: PathProblem) => ConfigProblem;
}

/** Lays flags over variables over `content`. Empty variables count as not set. */
export function layer(content: unknown, flags: Readonly<Record<string, unknown>>, env: Environment): Layered {
  const origins = new Map<string, string>();
  let value = content;
  for (const option of INSTANCE_OPTIONS) {
    const given = givenValue(option, flags, env);
    if (given === undefined) continue;
    origins.set(pathKey(option.path), given.origin);
    value = withValue(value, option.path, convert(given.text, schemaOf(option.path)));
  }
  return {
    value,
    isFromFile: (path) => !origins.has(pathKey(path)),
    place: (file, problem) => {
      const origin = origins.get(pathKey(problem.path));
      if (origin === undefined) return placed(file, problem);
      return { file: origin, line: 0, col: 0, message: problem.message };
    },
  };
}

function givenValue(
  option: InstanceOption,
  flags: Readonly<Record<string, unknown>>,
  env: Environment,
): { text: string; origin: string } | undefined {
  const flag = flags[option.property];
  if (flag !== undefined && flag !== null) return { text: String(flag), origin: `--${option.flag}` };
  const variable = env[option.variable];
  if (variable === undefined || variable === '') return undefined;
  return { text: variable, origin: option.variable };
}

/** A copy of `content` in which `path` holds `value`. Content that is no map where one is needed stays, to be reported. */
function withValue(content: unknown, path: readonly string[], value: unknown): unknown {
  const [key, ...rest] = path;
  if (key === undefined) return value;
  const map = content ?? {};
  if (typeof map !== 'object' || Array.isArray(map)) return content;
  return { ...map, [key]: withValue((map as Record<string, unknown>)[key], rest, value) };
}

function schemaOf(path: readonly string[]): z.ZodType {
  let schema: z.ZodType = instanceSchema;
  for (const key of path) schema = memberSchema(schema, key, undefined) ?? schema;
  return schema;
}
