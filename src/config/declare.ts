import { z } from 'zod';

/**
 * How a value of the configuration is declared: its type and limits as a zod schema, everything else as {@link Field}.
 * Defaults are part of the field and not of the schema, because a default may only be taken after all places where a
 * value can stand (advanced group, top level, flag, variable, file) were looked at.
 */
export interface Field {
  readonly description: string;
  /** Taken when nothing else is written anywhere. */
  readonly default?: string | number | boolean;
  readonly example?: string;
  readonly secret?: true;
  /** A secret of which only the password inside must be hidden. */
  readonly url?: true;
  /** What to use instead. The value is still accepted. */
  readonly deprecated?: string;
  /** Why rdi accepts the value without acting on it. */
  readonly noEffect?: string;
  /** True for what RDI does not know; a file that uses it is not portable. */
  readonly beyondRdi?: true;
  /** What a valid value is, for messages, where the type does not say it. */
  readonly expects?: string;
  /** The top-level property of `processors` that says the same. */
  readonly alias?: string;
  /** Command line, for values of the instance. */
  readonly flag?: string;
  readonly variable?: string;
  readonly placeholder?: string;
  /** A map for which a text may stand, too; it is expanded before it is checked. */
  readonly orText?: true;
  /** JSON Schema: keys that need other keys. */
  readonly dependentRequired?: Readonly<Record<string, readonly string[]>>;
}

const fields = z.registry<Field>();

/** How a value refers to a variable of the process. */
export function variable(name: string): string {
  return `\${${name}}`;
}

function declare<T extends z.ZodType>(schema: T, field: Field): T {
  fields.add(schema, field);
  return schema;
}

interface Range {
  min?: number;
  max?: number;
}

/** A whole number. */
export function integer(field: Field & Range) {
  const { min = Number.MIN_SAFE_INTEGER, max = Number.MAX_SAFE_INTEGER, ...rest } = field;
  return declare(z.int().min(min).max(max), { ...rest, expects: field.expects ?? `a whole number${rangeText(field)}` });
}

/** A number with a fraction. */
export function decimal(field: Field & { min: number }) {
  const { min, ...rest } = field;
  return declare(z.number().min(min), { ...rest, expects: `a number of at least ${min}` });
}

function rangeText({ min, max }: Range): string {
  if (min !== undefined && max !== undefined) return ` from ${min} to ${max}`;
  return min === undefined ? '' : ` of at least ${min}`;
}

export function flag(field: Field) {
  return declare(z.boolean(), { ...field, expects: '`true` or `false`' });
}

/** Text that is not empty, unless `empty` allows it. */
export function text(field: Field & { maxLength?: number; pattern?: RegExp; empty?: true }) {
  const { maxLength, pattern, empty, ...rest } = field;
  let schema = z.string();
  if (!empty) schema = schema.min(1);
  if (maxLength !== undefined) schema = schema.max(maxLength);
  if (pattern !== undefined) schema = schema.regex(pattern);
  const limit = maxLength === undefined ? '' : ` of at most ${maxLength} characters`;
  return declare(schema, { ...rest, expects: field.expects ?? `text${limit}` });
}

export function choice<const T extends readonly [string, ...string[]]>(values: T, field: Field) {
  const words = values.map((value) => `\`${value}\``).join(', ');
  const expects = values.length === 1 ? words : `one of ${words}`;
  return declare(z.enum(values), { ...field, expects });
}

/** Text that a parser of ours must accept; `parse` returns undefined for what it does not understand. */
export function parsed(parse: (text: string) => unknown, field: Field & { expects: string }) {
  return declare(
    z.string().refine((value) => parse(value) !== undefined),
    field,
  );
}

/** Like {@link parsed}, where a plain number is valid too. */
export function parsedOrNumber(parse: (text: string) => unknown, field: Field & { expects: string }) {
  const schema = z.union([z.int().min(1), z.string()]);
  return declare(
    schema.refine((value) => parse(String(value)) !== undefined),
    field,
  );
}

export function list<T extends z.ZodType>(item: T, field: Field & { min?: number; unique?: true }) {
  const { min = 0, unique, ...rest } = field;
  const schema = z.array(item).min(min);
  const expects = `a list${min > 0 ? ' with at least one entry' : ''}${unique ? ' without repetitions' : ''}`;
  return declare(unique ? schema.refine((items) => new Set(items).size === items.length) : schema, {
    ...rest,
    expects,
  });
}

export function map<T extends z.ZodType>(value: T, field: Field & { min?: number }) {
  const { min = 0, ...rest } = field;
  const schema = z.record(z.string(), value);
  const expects = min > 0 ? 'a map with at least one entry' : 'a map';
  return declare(min > 0 ? schema.refine((entries) => Object.keys(entries).length >= min) : schema, {
    ...rest,
    expects,
  });
}

/** A map with exactly these keys: anything else is an error. */
export function group<T extends z.ZodRawShape>(shape: T, field: Field) {
  return declare(z.strictObject(shape), { ...field, expects: 'a map' });
}

/** What a property of a connector, of Quarkus or of Flink may hold. */
export function scalar(field: Field) {
  return declare(z.union([z.string(), z.number(), z.boolean()]), {
    ...field,
    expects: 'text, a number, `true` or `false`',
  });
}

/** A map of properties, some of them known. */
export function properties<T extends z.ZodRawShape>(known: T, field: Field) {
  const other = scalar({ description: 'Any other property.' });
  return declare(z.object(known).catchall(other), { ...field, expects: 'a map of properties' });
}

/** A value that is passed on unseen. */
export function opaque(field: Field) {
  return declare(z.record(z.string(), z.unknown()), { ...field, expects: 'a map' });
}

/** A map whose shape depends on its `type`. */
export function byType<const T extends [z.ZodObject, ...z.ZodObject[]]>(shapes: T, field: Field) {
  return declare(z.discriminatedUnion('type', shapes), { ...field, expects: 'a map' });
}

/** The schema without `optional` and `nullable`. */
export function unwrap(schema: z.ZodType): z.ZodType {
  let current: z.ZodType = schema;
  while (current instanceof z.ZodOptional || current instanceof z.ZodNullable) current = current.unwrap() as z.ZodType;
  return current;
}

/** What was declared about a value. */
export function fieldOf(schema: z.ZodType): Field {
  return fields.get(unwrap(schema)) ?? { description: '' };
}

/** The declared default. Throws where none is declared: a mistake in this room, found by its tests. */
export function defaultOf<T>(schema: z.ZodType<T | undefined>): Exclude<T, undefined> {
  const value = fieldOf(schema).default;
  if (value === undefined) throw new Error('no default is declared for this value');
  return value as Exclude<T, undefined>;
}

/** The alternative of a {@link byType} map that `value` chooses. */
function alternative(union: z.ZodDiscriminatedUnion, value: unknown): z.ZodObject | undefined {
  const type = (value as { type?: unknown } | null)?.type;
  const shapes = union.options as z.ZodObject[];
  return shapes.find((shape) => (shape.shape['type'] as z.ZodType).safeParse(type).success);
}

/** The schema of one member of a map or list, or undefined when nothing is declared for it. */
export function memberSchema(schema: z.ZodType, key: PropertyKey, value: unknown): z.ZodType | undefined {
  const inner = unwrap(schema);
  if (inner instanceof z.ZodDiscriminatedUnion) {
    const shape = alternative(inner, value);
    return shape === undefined ? undefined : memberSchema(shape, key, value);
  }
  if (inner instanceof z.ZodObject) {
    const shape: Record<string, z.ZodType> = inner.shape;
    if (Object.hasOwn(shape, key)) return shape[String(key)];
    const other = inner._zod.def.catchall;
    return other instanceof z.ZodNever ? undefined : (other as z.ZodType | undefined);
  }
  if (inner instanceof z.ZodRecord) return inner.valueType as z.ZodType;
  if (inner instanceof z.ZodArray) return inner.element as z.ZodType;
  return undefined;
}

/** Names that a map knows; empty where any name goes. */
export function knownKeys(schema: z.ZodType, value: unknown): string[] {
  const inner = unwrap(schema);
  if (inner instanceof z.ZodDiscriminatedUnion) {
    const shape = alternative(inner, value);
    return shape === undefined ? [] : Object.keys(shape.shape);
  }
  return inner instanceof z.ZodObject ? Object.keys(inner.shape) : [];
}
