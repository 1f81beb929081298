import type { Clock } from '../../lib/clock.ts';
import type { JobObject, JobValue } from '../expressions/types.ts';
import { isTrue, typeOf } from '../expressions/values.ts';
import { LookupError, type LookupReader, type LookupReply } from '../types.ts';
import { needed, type Step } from './blocks.ts';
import { TimedCache } from './cache.ts';
import type { FieldPath, LookupDefinition } from './definition.ts';
import { BlockFailure, type RunnableExpression, runnable } from './evaluation.ts';
import type { JobRecord } from './record.ts';

/** Commands that answer differently each time: every record asks for itself. */
const RANDOM: ReadonlySet<string> = new Set(['HRANDFIELD', 'RANDOMKEY', 'SRANDMEMBER', 'ZRANDMEMBER', 'TIME']);

let randomQuestions = 0;

/** What a record asks of a connection. */
export interface Question {
  readonly command: readonly string[];
  /** Equal for questions that have equal answers. */
  readonly key: string;
}

/**
 * `redis.lookup`: reads from a connection into a field. The asking is left to whoever runs the records of a batch, so that all
 * their questions go together. Source: specification of jobs, section 6.
 */
export class LookupStep implements Step {
  readonly name: string;
  readonly isFilter = false;
  readonly reader: LookupReader;
  /** Most commands in one pipeline. */
  readonly batchSize: number;
  readonly #command: readonly string[];
  readonly #args: readonly RunnableExpression[];
  readonly #when: RunnableExpression | null;
  readonly #field: FieldPath;
  readonly #cache: TimedCache | null;

  constructor(definition: LookupDefinition, reader: LookupReader, clock: Clock) {
    const { step, command, args, when, field, lookupCache, batch } = definition;
    this.name = step;
    this.reader = reader;
    this.batchSize = batch.size;
    this.#command = command;
    this.#args = args.map((argument) => runnable(argument, clock));
    this.#when = when === null ? null : runnable(when, clock);
    this.#field = field;
    this.#cache = lookupCache === null || this.#isRandom() ? null : new TimedCache(lookupCache, clock);
  }

  /** Never called: a record waits here for the reply. */
  apply(): boolean {
    return true;
  }

  /** What the record needs to know; null when it needs nothing, or the answer is remembered and has been set. */
  questionOf(record: JobRecord): Question | null {
    if (this.#when !== null && !isTrue(needed(record, this.#when))) return null;
    const command = [...this.#command];
    for (const argument of this.#args) addArguments(command, needed(record, argument), argument.text);
    const key = this.#isRandom() ? `random ${randomQuestions++}` : JSON.stringify(command);
    const known = this.#cache?.get(key);
    if (known === undefined) return { command, key };
    record.set(this.#field, known);
    return null;
  }

  /** Puts a reply into the record. Throws {@link BlockFailure} when it is an error. */
  take(record: JobRecord, { command, key }: Question, reply: LookupReply): void {
    const value = this.#isOfPairs() ? pairsOf(reply, command) : valueOfReply(reply, command);
    this.#cache?.set(key, value);
    record.set(this.#field, value);
  }

  #isRandom(): boolean {
    return RANDOM.has(this.#command[0] ?? '');
  }

  #isOfPairs(): boolean {
    return this.#command[0] === 'HGETALL';
  }
}

function addArguments(command: string[], value: JobValue, expression: string): void {
  if (!Array.isArray(value)) command.push(argumentText(value, command, expression));
  else for (const element of value) command.push(argumentText(element, command, expression));
}

/** Numbers as they are written, booleans as in hashes. */
function argumentText(value: JobValue, command: readonly string[], expression: string): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'number') return String(value);
  if (typeof value === 'boolean') return value ? '1' : '0';
  if (value === null) {
    throw new BlockFailure(
      'LOOKUP_REFUSED',
      `an argument of ${command[0]} is null: ${expression} gives no value. Quote it if it is meant as a text, skip the lookup with "when", or give a default`,
      expression,
    );
  }
  const type = typeOf(value);
  if (type === 'number') return (value as { text: string }).text;
  throw new BlockFailure(
    'LOOKUP_REFUSED',
    `an argument of ${command[0]} is an ${type}: ${expression} must give a text, a number or an array of those`,
    expression,
  );
}

function valueOfReply(reply: LookupReply, command: readonly string[]): JobValue {
  if (reply instanceof LookupError) throw refused(reply, command);
  return Array.isArray(reply)
    ? reply.map((element: LookupReply) => valueOfReply(element, command))
    : (reply as JobValue);
}

/** A flat list of names and values as an object. */
function pairsOf(reply: LookupReply, command: readonly string[]): JobValue {
  const flat = valueOfReply(reply, command);
  if (!Array.isArray(flat)) return flat;
  const object: JobObject = new Map();
  for (let i = 0; i + 1 < flat.length; i += 2) object.set(String(flat[i]), flat[i + 1]!);
  return object;
}

function refused({ text }: LookupError, command: readonly string[]): BlockFailure {
  const [name, key] = command;
  const what = key === undefined ? name : `${name} ${JSON.stringify(key)}`;
  return new BlockFailure('LOOKUP_REFUSED', `the target answers ${what} with "${text}"`);
}

/** A lookup that nothing needs: whatever is made of its field is left out. */
export class UnneededLookupStep implements Step {
  readonly name: string;
  readonly isFilter = false;
  readonly #field: FieldPath;

  constructor({ step, field }: LookupDefinition) {
    this.name = step;
    this.#field = field;
  }

  apply(record: JobRecord): boolean {
    record.leaveOut(this.#field);
    return true;
  }
}
