import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import { Interrupted } from './exit-codes.ts';

export interface Question {
  /** Do not show what is typed. */
  readonly isHidden?: boolean;
}

/** Asks the person at the terminal for one line; the question goes to standard error. Ctrl-C and Ctrl-D interrupt. */
export async function askPerson(question: string, { isHidden = false }: Question = {}): Promise<string> {
  const { stdin, stderr } = process;
  // Readline echoes what is typed to its output: one that swallows everything hides it.
  const output = isHidden ? new Writable({ write: (_chunk, _encoding, done) => done() }) : stderr;
  if (isHidden) stderr.write(question);
  const lines = createInterface({ input: stdin, output, terminal: true });
  const ended = new Promise<never>((_resolve, reject) => {
    for (const name of ['SIGINT', 'close'] as const) lines.once(name, () => reject(new Interrupted('interrupted')));
  });
  ended.catch(() => {});
  try {
    return await Promise.race([lines.question(isHidden ? '' : question), ended]);
  } finally {
    lines.close();
    if (isHidden) stderr.write('\n');
  }
}
