import { z } from 'zod';
import { fieldOf, unwrap } from './declare.ts';
import { instanceSchema } from './schema-instance.ts';
import type { InstanceOption } from './types.ts';

/** Every value of the instance that is a flag and a variable, in the order of the declaration. */
export const INSTANCE_OPTIONS: readonly InstanceOption[] = collect(instanceSchema, []);

function collect(schema: z.ZodType, path: readonly string[]): InstanceOption[] {
  const inner = unwrap(schema);
  if (inner instanceof z.ZodObject) {
    const shape: Record<string, z.ZodType> = inner.shape;
    return Object.entries(shape).flatMap(([key, member]) => collect(member, [...path, key]));
  }
  const field = fieldOf(schema);
  if (field.flag === undefined || field.variable === undefined) return [];
  return [
    {
      path,
      flag: field.flag,
      property: field.flag.replaceAll(/-([a-z])/g, (_, letter: string) => letter.toUpperCase()),
      variable: field.variable,
      kind: inner instanceof z.ZodBoolean ? 'switch' : 'text',
      placeholder: field.placeholder ?? 'value',
      description: field.description,
      defaultText: field.default === undefined ? undefined : String(field.default),
      secret: field.secret === true,
    },
  ];
}
