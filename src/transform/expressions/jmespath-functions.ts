import { ARRAY, type FunctionRule, NULL, NUMBER, OBJECT, REFERENCE, TEXT, wordsOf } from './jmespath-call.ts';
import { CODING_FUNCTIONS } from './jmespath-functions-coding.ts';
import { COLLECTION_FUNCTIONS } from './jmespath-functions-collections.ts';
import { NUMBER_FUNCTIONS } from './jmespath-functions-numbers.ts';
import { ORDER_FUNCTIONS } from './jmespath-functions-order.ts';
import { TEXT_FUNCTIONS } from './jmespath-functions-text.ts';

/** Every function by name: the 26 of the language, and the 21 that RDI adds. */
export const FUNCTIONS: ReadonlyMap<string, FunctionRule> = new Map(
  [...NUMBER_FUNCTIONS, ...TEXT_FUNCTIONS, ...COLLECTION_FUNCTIONS, ...ORDER_FUNCTIONS, ...CODING_FUNCTIONS].map(
    (rule) => [rule.name, rule],
  ),
);

export interface FunctionDescription {
  readonly name: string;
  readonly summary: string;
  readonly parameters: readonly {
    readonly name: string;
    /** `text or null` */
    readonly accepts: string;
    readonly isOptional: boolean;
    readonly isRest: boolean;
  }[];
}

/** All functions in order of their names, for editors and documentation. */
export function describeFunctions(): FunctionDescription[] {
  const rules = [...FUNCTIONS.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  return rules.map(({ name, summary, parameters }) => ({
    name,
    summary,
    parameters: parameters.map((parameter) => ({
      name: parameter.name,
      accepts: describeAccepted(parameter.accepts),
      isOptional: parameter.isOptional === true,
      isRest: parameter.isRest === true,
    })),
  }));
}

const ALL_BUT_BOOLEAN = NULL | NUMBER | TEXT | ARRAY | OBJECT;

function describeAccepted(accepts: number): string {
  return (accepts & ALL_BUT_BOOLEAN) === ALL_BUT_BOOLEAN && accepts !== REFERENCE ? 'any value' : wordsOf(accepts);
}
