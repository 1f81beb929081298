import type { ReplayCounts } from '../replay/index.ts';
import type { Terminal } from './terminal.ts';

const BAR_PERIOD_MS = 100;
const LINE_PERIOD_MS = 2000;
const BAR_WIDTH = 30;
const START_OF_LINE = '\r\u001b[K';

/** Shows how far a replay is on standard error: a bar on a screen, else a line now and then. */
export class ReplayProgress {
  readonly #terminal: Terminal;
  readonly #files = new Map<string, { counts: ReplayCounts; done: number }>();
  readonly #fileCount: number;
  readonly #startedAt = performance.now();
  #shownAt = performance.now();
  #drawn = false;

  constructor(terminal: Terminal, files: readonly string[]) {
    this.#terminal = terminal;
    this.#fileCount = files.length;
  }

  /** Takes the counts of one file; draws when it is time. */
  update(file: string, counts: ReplayCounts, done: number): void {
    this.#files.set(file, { counts, done });
    const now = performance.now();
    if (now - this.#shownAt < (this.#terminal.isErrorScreen ? BAR_PERIOD_MS : LINE_PERIOD_MS)) return;
    this.#shownAt = now;
    this.#draw(now);
  }

  /** Removes the bar. */
  close(): void {
    if (this.#drawn && this.#terminal.isErrorScreen) this.#terminal.err(START_OF_LINE);
  }

  /** The counts of all files together. */
  sum(): ReplayCounts {
    const sum = { commands: 0, events: 0, bytes: 0, refused: 0, resent: 0, reconnects: 0, held: 0, lost: 0 };
    for (const { counts } of this.#files.values()) {
      for (const name of Object.keys(sum) as (keyof ReplayCounts)[]) sum[name] += counts[name];
    }
    return sum;
  }

  #draw(now: number): void {
    const { events } = this.sum();
    const done = [...this.#files.values()].reduce((sum, file) => sum + file.done, 0) / this.#fileCount;
    const rate = Math.round((events * 1000) / (now - this.#startedAt));
    const figures = `${String(Math.floor(done * 100)).padStart(3)} %  ${events} entries  ${rate}/s`;
    this.#drawn = true;
    if (!this.#terminal.isErrorScreen) {
      this.#terminal.err(`${figures.trimStart()}\n`);
      return;
    }
    const filled = Math.round(done * BAR_WIDTH);
    this.#terminal.err(`${START_OF_LINE}${'█'.repeat(filled)}${'░'.repeat(BAR_WIDTH - filled)} ${figures}`);
  }
}
