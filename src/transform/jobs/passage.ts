import type { ErrorCode } from '../../errors.ts';
import type { ChangeEvent, Rejection, Row } from '../../types.ts';
import type { TargetWrite } from '../../write/types.ts';
import { ExpressionError, type JobObject } from '../expressions/types.ts';
import type { TransformResults } from '../types.ts';
import { BlockFailure } from './evaluation.ts';
import { type Image, type JobOutput, OutputRejection } from './image.ts';
import { fullRecord, imageOf, oldRecord, rowRecord } from './images.ts';
import type { Job } from './job.ts';
import type { JobRecord } from './record.ts';
import { type OnStep, Run } from './run.ts';

/** What is told of each record on its way, for trials of jobs. Records given are never changed afterwards. */
export interface TransformTrace {
  /** The record as the block left it; null when a filter took it out. */
  onBlock(index: number, step: string, record: JobObject | null): void;
  /** What an output added; not told of an output that failed. */
  onOutput?(index: number, step: string, writes: readonly TargetWrite[]): void;
}

interface StepFailure {
  readonly step: string;
  readonly code: ErrorCode;
  readonly message: string;
  readonly expression: string | undefined;
}

/**
 * One event on its way through its job: the row as it is, the row as it was where an update may have moved it, and, where the job
 * wants rows that stop passing its filters to leave the target, the row to be removed.
 */
export class Passage {
  readonly #job: Job;
  readonly #event: ChangeEvent;
  readonly #index: number;
  readonly #trace: TransformTrace | null;
  readonly #main: Run;
  readonly #old: Run | null;
  #leaving: Run | null = null;

  /** `mayHaveMoved`: the update changed something on which the place of the row depends. */
  constructor(job: Job, event: ChangeEvent, index: number, mayHaveMoved: boolean, trace: TransformTrace | null) {
    this.#job = job;
    this.#event = event;
    this.#index = index;
    this.#trace = trace;
    const onStep: OnStep | null = trace && ((step, record) => trace.onBlock(index, step, record));
    this.#main = new Run(this.#recordOfEvent(), job.program, false, onStep);
    this.#old =
      mayHaveMoved && event.before !== null
        ? new Run(oldRecord(event, event.before, job.isFull), job.oldProgram, false, null)
        : null;
  }

  /** Goes on as far as it can. False while it waits for a lookup. */
  advance(): boolean {
    this.#main.advance();
    this.#old?.advance();
    if (this.#leaving === null && this.#mayLeave()) this.#leaving = this.#leavingRun();
    this.#leaving?.advance();
    return this.#main.state !== 'waiting' && this.#old?.state !== 'waiting' && this.#leaving?.state !== 'waiting';
  }

  /** Adds the records that wait for a lookup. */
  collectWaiting(waiting: Run[]): void {
    if (this.#main.state === 'waiting') waiting.push(this.#main);
    if (this.#old?.state === 'waiting') waiting.push(this.#old);
    if (this.#leaving?.state === 'waiting') waiting.push(this.#leaving);
  }

  /** Writes the outputs, or says why not. To be called once, when nothing waits any more. */
  finish(results: TransformResults): void {
    const { state, step, failure } = this.#main;
    if (this.#leaving?.state === 'done') {
      const image = this.#imageOf(this.#leaving.record, true);
      if (image !== null && !(image instanceof BlockFailure)) {
        this.#write(image, null, results);
        return;
      }
    }
    if (state === 'failed') this.#reject(results, [failureAt(step, failure!)]);
    else if (state === 'filtered') results.filtered(this.#index);
    else {
      const image = this.#imageOf(this.#main.record, false);
      if (image instanceof BlockFailure) this.#reject(results, [failureAt('row_format full', image)]);
      else if (image === null) results.filtered(this.#index);
      else this.#write(image, this.#oldImage(), results);
    }
  }

  #recordOfEvent(): JobRecord {
    return this.#job.isFull ? fullRecord(this.#event) : rowRecord(this.#event);
  }

  /** A delete leaves also when a filter cannot judge it, because its row may have come without most columns. */
  #mayLeave(): boolean {
    const { state } = this.#main;
    const { op } = this.#event;
    if (!this.#job.filterRemoves || op === 'c') return false;
    return state === 'filtered' || (state === 'failed' && op === 'd');
  }

  /** The row as it was when it passed the filters; where that is not known, the row itself, whatever the filters say. */
  #leavingRun(): Run {
    const { op, before } = this.#event;
    if (op === 'd' || before === null) return new Run(this.#recordOfEvent(), this.#job.program, true, null);
    return new Run(oldRecord(this.#event, before as Row, this.#job.isFull), this.#job.program, false, null);
  }

  #imageOf(record: JobRecord, isLeaving: boolean): Image | null | BlockFailure {
    try {
      return imageOf(record, this.#event, isLeaving);
    } catch (error) {
      return BlockFailure.of(error);
    }
  }

  /** Null when the row was not in the target before: filtered, failing, or removed by its opcode. */
  #oldImage(): Image | null {
    if (this.#old?.state !== 'done') return null;
    const image = this.#imageOf(this.#old.record, false);
    return image === null || image instanceof BlockFailure || image.operation === 'd' ? null : image;
  }

  /** Outputs that fail leave the others alone. */
  #write(image: Image, old: Image | null, results: TransformResults): void {
    const { outputs, definition } = this.#job;
    let failures: StepFailure[] | null = null;
    let hasWritten = false;
    for (let i = 0; i < outputs.length; i++) {
      const { step } = definition.outputs[i]!;
      try {
        if (this.#writeOutput(outputs[i]!, step, image, old, results)) hasWritten = true;
      } catch (error) {
        failures ??= [];
        failures.push(failureAt(step, error));
      }
    }
    if (failures !== null) this.#reject(results, failures);
    else if (!hasWritten) results.filtered(this.#index);
  }

  #writeOutput(output: JobOutput, step: string, image: Image, old: Image | null, results: TransformResults): boolean {
    const writes = results.writes[output.connection] as TargetWrite[];
    if (this.#trace?.onOutput === undefined) return output.write(image, old, this.#index, writes);
    const start = writes.length;
    const hasWritten = output.write(image, old, this.#index, writes);
    this.#trace.onOutput(this.#index, step, writes.slice(start));
    return hasWritten;
  }

  #reject(results: TransformResults, failures: readonly StepFailure[]): void {
    const job = this.#job.definition.name;
    const [{ code, step, expression }] = failures as readonly [StepFailure];
    const reason = `The job ${job} fails at ${failures.map(describe).join(' It fails also at ')}`;
    const origin = { job, step, ...(expression === undefined ? {} : { expression }) };
    const rejection: Rejection = { code, reason, origin };
    results.rejected(this.#index, rejection);
  }
}

/** Throws `error` again when it is a bug. */
function failureAt(step: string, error: unknown): StepFailure {
  if (error instanceof BlockFailure || error instanceof OutputRejection) {
    return { step, code: error.code, message: error.message, expression: error.expression };
  }
  if (!(error instanceof ExpressionError)) throw error;
  return { step, code: 'TRANSFORM_BAD_OUTPUT', message: error.message, expression: undefined };
}

function describe({ step, message, expression }: StepFailure): string {
  const where = expression === undefined || message.includes(expression) ? step : `${step}, expression ${expression}`;
  return `${where}: ${message}${/[.!?]$/.test(message) ? '' : '.'}`;
}
