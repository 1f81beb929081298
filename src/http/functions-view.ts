import { z } from 'zod';
import { describeFunctions } from '../transform/expressions/jmespath.ts';

const argumentType = z.enum(['number', 'string', 'boolean', 'object', 'array', 'null', 'any']);

/** RDI's description of the JMESPath functions, for editors. */
export const functions = z.record(
  z.string(),
  z.object({
    summary: z.string(),
    arguments: z.array(
      z.object({ name: z.string(), type: argumentType, display_text: z.string(), optional: z.boolean() }),
    ),
  }),
);

/** Our words for what an argument accepts, and RDI's type for it. Where several fit, editors are told `any`. */
const TYPES: Readonly<Record<string, z.output<typeof argumentType>>> = {
  'a number': 'number',
  text: 'string',
  'text or null': 'string',
  'a boolean': 'boolean',
  'an object': 'object',
  'an object or null': 'object',
  'an array': 'array',
  'an array or null': 'array',
  null: 'null',
};

export function viewFunctions(): z.output<typeof functions> {
  return Object.fromEntries(
    describeFunctions().map(({ name, summary, parameters }) => [
      name,
      {
        summary,
        arguments: parameters.map(({ name: argument, accepts, isOptional, isRest }) => ({
          name: argument,
          type: TYPES[accepts] ?? 'any',
          display_text: isRest ? `${argument}…` : argument,
          optional: isOptional || isRest,
        })),
      },
    ]),
  );
}
