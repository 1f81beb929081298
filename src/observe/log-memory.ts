/** A line of the log as data. */
export interface RememberedLine {
  /** Grows by 1. */
  readonly number: number;
  /** ISO 8601. */
  readonly time: string;
  readonly level: string;
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

const MAX_LINES = 1000;

/** The newest lines of the log, for people who cannot reach the file. Lines come here after secrets were replaced in them. */
export class LogMemory {
  readonly #lines: RememberedLine[] = [];
  #count = 0;

  /** Takes a finished line of JSON. What is none is kept as a message. */
  add(line: string): void {
    this.#lines.push(parse(line, ++this.#count));
    if (this.#lines.length > MAX_LINES) this.#lines.shift();
  }

  /** The newest `limit` lines with a number above `after`, oldest first. */
  lines({ after = 0, limit }: { after?: number; limit: number }): RememberedLine[] {
    return this.#lines.filter(({ number }) => number > after).slice(-limit);
  }
}

function parse(line: string, number: number): RememberedLine {
  try {
    const { ts, level, msg, ...fields } = JSON.parse(line) as Record<string, unknown>;
    return { number, time: String(ts), level: String(level), message: String(msg ?? ''), fields };
  } catch {
    return { number, time: new Date().toISOString(), level: 'info', message: line.trimEnd(), fields: {} };
  }
}
