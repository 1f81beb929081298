import type { ReplayCounts } from '../replay/index.ts';
import { Progress } from './progress.ts';
import type { Terminal } from './terminal.ts';

/** Shows how far a replay is on standard error. */
export class ReplayProgress {
  readonly #files = new Map<string, { counts: ReplayCounts; done: number }>();
  readonly #fileCount: number;
  readonly #progress: Progress;

  constructor(terminal: Terminal, files: readonly string[]) {
    this.#progress = new Progress(terminal, 0);
    this.#fileCount = files.length;
  }

  /** Takes the counts of one file; draws when it is time. */
  update(file: string, counts: ReplayCounts, done: number): void {
    this.#files.set(file, { counts, done });
    const { events } = this.sum();
    const all = [...this.#files.values()].reduce((sum, one) => sum + one.done, 0) / this.#fileCount;
    const rate = Math.round((events * 1000) / Math.max(1, this.#progress.elapsedMs));
    this.#progress.update(`${events} entries  ${rate}/s`, all);
  }

  /** Removes the bar. */
  close(): void {
    this.#progress.close();
  }

  /** The counts of all files together. */
  sum(): ReplayCounts {
    const sum = { commands: 0, events: 0, bytes: 0, refused: 0, resent: 0, reconnects: 0, held: 0, lost: 0 };
    for (const { counts } of this.#files.values()) {
      for (const name of Object.keys(sum) as (keyof ReplayCounts)[]) sum[name] += counts[name];
    }
    return sum;
  }
}
