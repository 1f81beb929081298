import { styleText } from 'node:util';

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
}

/** The terminal of this process. */
export function processTerminal(): Terminal {
  const { env, stdout, stderr } = process;
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
