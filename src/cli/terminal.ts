import { styleText } from 'node:util';
import type { Question } from './prompt.ts';

/** Where a command reads its surroundings and writes its results; tests put their own in its place. */
export interface Terminal {
  /** Results: standard output. */
  readonly out: (text: string) => void;
  /** Diagnostics and progress: standard error. */
  readonly err: (text: string) => void;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Whether results go to a person's screen: colours, and redrawing in place. */
  readonly isScreen: boolean;
  /** Whether diagnostics go to a person's screen: a moving progress bar. */
  readonly isErrorScreen: boolean;
  /** Asks the person for one line; undefined where nobody sits there who could answer. Throws Interrupted on Ctrl-C. */
  readonly ask?: (question: string, options?: Question) => Promise<string>;
  /** Calls back with each key that the person presses, until the result is called; undefined where nobody sits there. */
  readonly onKey?: (listener: (key: string) => void) => () => void;
  /** Columns and rows of the person's screen; undefined where there is none. */
  readonly size?: () => { columns: number; rows: number };
}

/** The terminal of this process. */
export function processTerminal(): Terminal {
  const { env, stdin, stdout, stderr } = process;
  // `rdi status | head` closes the pipe early; that is no failure of ours.
  stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(0);
    throw error;
  });
  return {
    out: (text) => stdout.write(text),
    err: (text) => stderr.write(text),
    env,
    isScreen: stdout.isTTY === true && env['NO_COLOR'] === undefined && env['TERM'] !== 'dumb',
    isErrorScreen: stderr.isTTY === true && env['TERM'] !== 'dumb',
    ...(stdout.isTTY ? { size: () => ({ columns: stdout.columns, rows: stdout.rows }) } : {}),
    ...(stdin.isTTY && stderr.isTTY
      ? { ask: async (question, options) => (await import('./prompt.ts')).askPerson(question, options), onKey }
      : {}),
  };
}

function onKey(listener: (key: string) => void): () => void {
  const { stdin } = process;
  const listen = (chunk: Buffer): void => {
    for (const key of chunk.toString()) listener(key);
  };
  stdin.setRawMode(true);
  stdin.on('data', listen);
  return () => {
    stdin.off('data', listen);
    stdin.setRawMode(false);
    stdin.pause();
  };
}

/** Coloured on a screen, plain elsewhere. */
export function paint(
  terminal: Pick<Terminal, 'isScreen'>,
  style: 'bold' | 'dim' | 'red' | 'yellow' | 'green',
  text: string,
): string {
  return terminal.isScreen ? styleText(style, text, { validateStream: false }) : text;
}

/** Text from feeders with control characters shown, so that the name of a table cannot drive the terminal. */
export function printable(text: string): string {
  return text.replace(/\p{Cc}/gu, (char) => `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`);
}

/** The same for a text of several lines. */
export function printableLines(text: string): string {
  return text.split('\n').map(printable).join('\n');
}
