import type { RehearsedEvent } from '../rehearsal/index.ts';
import { paint, printable, type Terminal } from './terminal.ts';

const OPERATIONS: Readonly<Record<string, string>> = {
  c: 'create',
  u: 'update',
  d: 'delete',
  r: 'read',
  t: 'truncate',
  m: 'message',
};

/** Debezium's letter as a word; empty where there is none. */
export function operationName(letter = ''): string {
  return OPERATIONS[letter] ?? letter;
}

/** A word and what stands behind it. */
type Line = readonly [title: string, text: string];

/** What became of one event: the rows, the record behind each block, lookups, commands, and how it ended. */
export function describeEvent(event: RehearsedEvent, terminal: Pick<Terminal, 'isScreen'>): string {
  const { number, op, table, key, before, after, blocks, lookups, commands, job } = event;
  const heading = [`${number}.`, operationName(op), table, key ?? ''].filter((part) => part !== '').join(' ');
  const lines: Line[] = [
    ...optional('before', before),
    ...optional('after', after),
    ...optional('job', job),
    ...blocks.map(({ step, record }): Line => [step, record ?? 'filtered out']),
    ...lookups.map(({ command, isUnanswered }): Line => {
      return ['lookup', describeWords(command) + (isUnanswered ? '  (no reply was given: it found nothing)' : '')];
    }),
    ...commands.map(({ connection, words }): Line => [connection, describeWords(words)]),
  ];
  const width = Math.max(...lines.map(([title]) => title.length), 0);
  const body = lines.map(([title, text]) => `   ${paint(terminal, 'dim', title.padEnd(width))}  ${printable(text)}\n`);
  return `${paint(terminal, 'bold', printable(heading))}\n${body.join('')}${ending(event, terminal)}`;
}

function optional(title: string, text: string | null): Line[] {
  return text === null ? [] : [[title, text]];
}

function ending({ outcome, reason, commands }: RehearsedEvent, terminal: Pick<Terminal, 'isScreen'>): string {
  if (outcome === 'written') return commands.length > 0 ? '' : '   nothing to write\n';
  const text = reason === null ? outcome : `${outcome}: ${printable(reason)}`;
  return `   ${paint(terminal, outcome === 'rejected' ? 'red' : 'yellow', text)}\n`;
}

/** A command as one could type it. */
export function describeWords(words: readonly string[]): string {
  return words.map((word) => (/^[^\s"'\p{Cc}]+$/u.test(word) ? word : JSON.stringify(word))).join(' ');
}

/** Every line that is not empty, moved to the right. */
export function indent(text: string, blanks: number): string {
  return text.replaceAll(/^(?=.)/gm, ' '.repeat(blanks));
}
