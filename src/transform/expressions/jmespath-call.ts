import type { Clock } from '../../lib/clock.ts';
import { NumberText } from '../../types.ts';
import type { Syntax } from './jmespath-syntax.ts';
import { ExpressionError, ExpressionSyntaxError, type JobValue } from './types.ts';
import { type TypeName, typeOf } from './values.ts';

/** A compiled part of an expression: a result for the current value. */
export type Evaluate = (value: JobValue) => JobValue;

/** What an expression is compiled from. */
export interface Source {
  readonly text: string;
  readonly clock: Clock;
  /** Null put into a text is an error instead of `None`. */
  readonly strictText: boolean;
}

/** What helps where strict keys refuse a null. */
export const NOT_NULL = 'Put a text in its place with not_null(…), or let a filter drop such records';

/** What a parameter accepts: a sum of these. */
export const NULL = 1;
export const BOOLEAN = 2;
export const NUMBER = 4;
export const TEXT = 8;
export const ARRAY = 16;
export const OBJECT = 32;
export const ANY = 63;
/** An expression reference, `&q`; never together with values. */
export const REFERENCE = 64;

export interface Parameter {
  readonly name: string;
  readonly accepts: number;
  readonly isOptional?: true;
  /** Any number of further arguments may follow. */
  readonly isRest?: true;
}

/** Arguments in order; a missing optional one is null. */
export type Run = (a: JobValue, b: JobValue, c: JobValue, call: Call) => JobValue;

export interface FunctionRule {
  readonly name: string;
  readonly parameters: readonly Parameter[];
  /** One sentence for editors and documentation. */
  readonly summary: string;
  readonly isVolatile?: true;
  /** Called with values that the parameters accept. Throws ExpressionError. */
  readonly run?: Run;
  /** Instead of `run`: makes it for one place in an expression, for what literal arguments allow to do once. */
  readonly prepare?: (call: Call) => Run;
  /** Instead of `run`, for functions with a rest parameter. */
  readonly runAll?: (values: readonly JobValue[], call: Call) => JobValue;
}

/** One argument at one place. */
export interface Argument {
  /** As it stands in the expression. */
  readonly text: string;
  readonly start: number;
  /** Dotted name when it is a plain field. */
  readonly field: string | null;
  /** Its value when it is written out, else undefined. */
  readonly literal: JobValue | undefined;
}

/** One place at which an expression calls a function; made once, when the expression is compiled. */
export interface Call {
  readonly name: string;
  readonly args: readonly Argument[];
  /** The expression behind `&`, for functions that take one; else null. */
  readonly reference: Evaluate | null;
  readonly clock: Clock;
  readonly strictText: boolean;
  /** Compiles an expression that an argument holds as text. Throws ExpressionSyntaxError. */
  readonly compile: (text: string) => Evaluate;
}

export function argumentOf(syntax: Syntax, text: string): Argument {
  const literal = syntax.kind === 'literal' ? syntax.value : undefined;
  return { text: text.slice(syntax.start, syntax.end), start: syntax.start, field: fieldOf(syntax), literal };
}

function fieldOf(syntax: Syntax): string | null {
  if (syntax.kind === 'field') return syntax.name;
  if (syntax.kind !== 'chain') return null;
  const left = fieldOf(syntax.left);
  const right = fieldOf(syntax.right);
  return left === null || right === null ? null : `${left}.${right}`;
}

export function maskOf(value: JobValue): number {
  if (typeof value === 'string') return TEXT;
  if (typeof value === 'number') return NUMBER;
  if (value === null) return NULL;
  if (typeof value === 'boolean') return BOOLEAN;
  if (Array.isArray(value)) return ARRAY;
  return value instanceof NumberText ? NUMBER : OBJECT;
}

const WORDS: readonly (readonly [mask: number, words: string])[] = [
  [TEXT, 'text'],
  [NUMBER, 'a number'],
  [BOOLEAN, 'a boolean'],
  [ARRAY, 'an array'],
  [OBJECT, 'an object'],
  [NULL, 'null'],
  [REFERENCE, 'an expression reference such as &name'],
];

/** `text, an array or null`. */
export function wordsOf(mask: number): string {
  const words = WORDS.filter(([bit]) => (mask & bit) !== 0).map(([, word]) => word);
  const last = words.pop() ?? 'nothing';
  return words.length === 0 ? last : `${words.join(', ')} or ${last}`;
}

/** Names the value's type, never the value, because errors are stored and logged. */
export function describe(value: JobValue): string {
  return wordsOf(maskOf(value));
}

/** @throws ExpressionError saying which argument has the wrong type and what to write instead. */
export function refuseType(call: Call, index: number, accepts: number, value: JobValue): never {
  const remedy = remedyFor(typeOf(value), accepts, call.args[index]!.text);
  const repaired = call.args.map(({ text }, at) => (at === index && remedy !== null ? remedy : text)).join(', ');
  const advice = remedy === null ? undefined : `Write ${excerpt(`${call.name}(${repaired})`)}`;
  return refuse(call, index, `is ${describe(value)}, but must be ${wordsOf(accepts)}`, advice);
}

/** What makes a value of the wrong type acceptable, or null where nothing does. */
function remedyFor(type: TypeName, accepts: number, text: string): string | null {
  if (type === 'null') return withDefault(accepts, text);
  if (type === 'string' && (accepts & NUMBER) !== 0) return `to_number(${text})`;
  if (type === 'string') return `json_parse(${text})`;
  if ((accepts & TEXT) !== 0) return `to_string(${text})`;
  if ((accepts & ARRAY) !== 0) return type === 'object' ? `values(${text})` : `to_array(${text})`;
  return null;
}

function withDefault(accepts: number, text: string): string | null {
  if ((accepts & TEXT) !== 0) return `not_null(${text}, '')`;
  if ((accepts & NUMBER) !== 0) return `not_null(${text}, \`0\`)`;
  if ((accepts & ARRAY) !== 0) return `not_null(${text}, \`[]\`)`;
  return (accepts & OBJECT) !== 0 ? `not_null(${text}, \`{}\`)` : null;
}

/**
 * Rejects a record: `upper(id): argument 1 (the field id) <problem>. <advice>`.
 * @throws ExpressionError always
 */
export function refuse(call: Call, index: number, problem: string, advice?: string): never {
  const shown = call.args.map(({ text }) => text).join(', ');
  throw new ExpressionError(
    `${excerpt(`${call.name}(${shown})`)}: argument ${index + 1}${place(call.args[index]!)} ${problem}${
      advice ? `. ${advice}` : ''
    }`,
  );
}

function place({ field, text, literal }: Argument): string {
  if (field !== null) return ` (the field ${field})`;
  return literal === undefined ? ` (${excerpt(text)})` : '';
}

/** A literal argument that can never work: found when the expression is compiled. */
export function refuseLiteral(call: Call, index: number, problem: string): never {
  throw new ExpressionSyntaxError(`argument ${index + 1} of ${call.name} ${problem}`, call.args[index]!.start);
}

/** Expressions are written by users, but may be long. */
function excerpt(text: string): string {
  return text.length > 120 ? `${text.slice(0, 120)}…` : text;
}
