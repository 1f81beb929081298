import { formatDuration } from '../lib/plain-words.ts';
import type { Terminal } from './terminal.ts';

const BAR_PERIOD_MS = 100;
const LINE_PERIOD_MS = 2000;
const BAR_WIDTH = 30;
const START_OF_LINE = '\r\u001b[K';

/** Shows on standard error how far something is: a line that is redrawn on a screen, else a line now and then. */
export class Progress {
  readonly #terminal: Pick<Terminal, 'err' | 'isErrorScreen'>;
  readonly #startedAt = performance.now();
  readonly #quietMs: number;
  #shownAt = performance.now();
  #isDrawn = false;

  /** Nothing is shown for the first `quietMs`: what is done by then needs no progress. */
  constructor(terminal: Pick<Terminal, 'err' | 'isErrorScreen'>, quietMs = 1000) {
    this.#terminal = terminal;
    this.#quietMs = quietMs;
  }

  get elapsedMs(): number {
    return performance.now() - this.#startedAt;
  }

  /** Draws when it is time. `done` from 0 to 1 gives a bar; without it the elapsed time is shown. */
  update(text: string, done?: number): void {
    const now = performance.now();
    const { isErrorScreen } = this.#terminal;
    if (now - this.#startedAt < this.#quietMs) return;
    if (now - this.#shownAt < (isErrorScreen ? BAR_PERIOD_MS : LINE_PERIOD_MS)) return;
    this.#shownAt = now;
    this.#isDrawn = true;
    const percent = done === undefined ? '' : `${String(Math.floor(done * 100)).padStart(3)} %  `;
    const line = done === undefined ? `${text} (${formatDuration(this.elapsedMs)})` : percent + text;
    this.#terminal.err(isErrorScreen ? `${START_OF_LINE}${bar(done)}${line}` : `${line.trimStart()}\n`);
  }

  /** Removes the line. */
  close(): void {
    if (this.#isDrawn && this.#terminal.isErrorScreen) this.#terminal.err(START_OF_LINE);
    this.#isDrawn = false;
  }
}

function bar(done: number | undefined): string {
  if (done === undefined) return '';
  const filled = Math.round(Math.min(1, Math.max(0, done)) * BAR_WIDTH);
  return `${'█'.repeat(filled)}${'░'.repeat(BAR_WIDTH - filled)} `;
}

/** Shows `text` with the elapsed time for as long as `work` lasts. */
export async function withProgress<T>(
  terminal: Pick<Terminal, 'err' | 'isErrorScreen'>,
  text: string,
  work: () => Promise<T>,
): Promise<T> {
  const progress = new Progress(terminal);
  const timer = setInterval(() => progress.update(text), BAR_PERIOD_MS);
  try {
    return await work();
  } finally {
    clearInterval(timer);
    progress.close();
  }
}
