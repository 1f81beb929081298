import { stripVTControlCharacters } from 'node:util';
import type { Terminal } from './terminal.ts';

const ESCAPE = '\u001b';
const ENTER = '\u001b[?1049h\u001b[?25l';
const LEAVE = '\u001b[?25h\u001b[?1049l';
const HOME = '\u001b[H';
const CLEAR_LINE = '\u001b[K';
const CLEAR_BELOW = '\u001b[J';

/**
 * A picture on the alternate screen of a terminal, redrawn in place: each line is overwritten and its rest cleared, so that
 * nothing flickers. What the person had on the screen is back after `close`.
 */
export class LiveScreen {
  readonly #terminal: Terminal;

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
    terminal.out(ENTER);
  }

  /** Shows as much of the text as fits; the last line tells what is left out, or `footer`. */
  draw(text: string, footer: string): void {
    const { columns, rows } = this.#terminal.size?.() ?? { columns: 80, rows: 24 };
    const lines = text.replace(/\n$/, '').split('\n');
    const space = Math.max(1, rows - 1);
    const left = lines.length - space;
    const shown = lines.slice(0, space);
    while (shown.length < space) shown.push('');
    const last = left > 0 ? `${footer}  (${left} more lines)` : footer;
    const picture = [...shown, last].map((line) => cutTo(line, columns) + CLEAR_LINE).join('\n');
    this.#terminal.out(HOME + picture + CLEAR_BELOW);
  }

  close(): void {
    this.#terminal.out(LEAVE);
  }
}

/** The first `columns` characters; colours count for nothing and are kept. */
function cutTo(line: string, columns: number): string {
  if ([...stripVTControlCharacters(line)].length <= columns) return line;
  let width = 0;
  let isColor = false;
  let out = '';
  for (const character of line) {
    if (character === ESCAPE) isColor = true;
    if (isColor || width < columns) out += character;
    if (!isColor) width++;
    else if (character === 'm') isColor = false;
  }
  return out;
}
