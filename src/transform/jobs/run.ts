import type { JobObject } from '../expressions/types.ts';
import type { LookupReply } from '../types.ts';
import type { Step } from './blocks.ts';
import { BlockFailure } from './evaluation.ts';
import { LookupStep, type Question } from './lookup.ts';
import type { JobRecord } from './record.ts';

/**
 * Where a record stands.
 *
 * | state | means | goes on to |
 * |---|---|---|
 * | `running` | blocks are left | any |
 * | `waiting` | a lookup is asked for | `running` when the reply is taken, `failed` |
 * | `done` | all blocks have run | – |
 * | `filtered` | a filter took it out | – |
 * | `failed` | a block cannot be run on it | – |
 */
export type RunState = 'running' | 'waiting' | 'done' | 'filtered' | 'failed';

/** Told after each block: the record as it is now, or null when a filter took it out. */
export type OnStep = (step: string, record: JobObject | null) => void;

/** One record on its way through the blocks. */
export class Run {
  readonly record: JobRecord;
  state: RunState = 'running';
  /** What is asked, while waiting. */
  question: Question | null = null;
  /** Why it failed, and at which block. */
  failure: BlockFailure | null = null;
  readonly #program: readonly Step[];
  readonly #passesFilters: boolean;
  readonly #onStep: OnStep | null;
  #at = 0;

  /** `passesFilters`: filters are not asked. */
  constructor(record: JobRecord, program: readonly Step[], passesFilters: boolean, onStep: OnStep | null) {
    this.record = record;
    this.#program = program;
    this.#passesFilters = passesFilters;
    this.#onStep = onStep;
  }

  /** Name of the block at which the record stands. */
  get step(): string {
    return this.#program[this.#at]?.name ?? '';
  }

  /** The lookup at which the record waits. */
  get lookup(): LookupStep {
    return this.#program[this.#at] as LookupStep;
  }

  /** Goes on until all blocks have run, or to the next lookup that must be asked for. */
  advance(): void {
    if (this.state !== 'running') return;
    try {
      while (this.#at < this.#program.length) {
        const step = this.#program[this.#at]!;
        if (step instanceof LookupStep) {
          this.question = step.questionOf(this.record);
          if (this.question !== null) {
            this.state = 'waiting';
            return;
          }
        } else if (!(step.isFilter && this.#passesFilters) && !step.apply(this.record)) {
          this.state = 'filtered';
          this.#onStep?.(step.name, null);
          return;
        }
        this.#onStep?.(step.name, this.record.share());
        this.#at++;
      }
      this.state = 'done';
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Takes the reply it waited for. */
  answer(reply: LookupReply): void {
    const step = this.lookup;
    this.state = 'running';
    try {
      step.take(this.record, this.question!, reply);
    } catch (error) {
      this.#fail(error);
      return;
    }
    this.#onStep?.(step.name, this.record.share());
    this.#at++;
  }

  #fail(error: unknown): void {
    this.failure = BlockFailure.of(error);
    this.state = 'failed';
  }
}
