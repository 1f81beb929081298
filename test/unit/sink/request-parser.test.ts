import { describe, expect, test } from 'vitest';
import { RequestParser } from '../../../src/sink/index.ts';
import { commandBytes } from '../../helpers/bulk-strings.ts';
import { seededRandom } from '../../helpers/random.ts';

const LIMITS = {
  maxFrameBytes: 1 << 20,
  maxBulkBytes: 1 << 20,
  maxArguments: 1000,
  frameError: 'invalid bulk length',
  argumentsError: 'invalid multibulk length',
};

/** Feeds the chunks and gives back the commands as arrays of Latin-1 words, and the error that ended it. */
function parse(chunks: readonly Buffer[], limits = LIMITS): { commands: string[][]; error?: string } {
  const parser = new RequestParser(limits);
  const commands: string[][] = [];
  try {
    for (const chunk of chunks) {
      // As a socket's memory is used again.
      const own = Buffer.from(chunk);
      parser.push(own);
      while (parser.next()) commands.push(wordsOf(parser));
      if (!parser.isInsideFrame) own.fill(0);
    }
    return { commands };
  } catch (error) {
    return { commands, error: (error as Error).message };
  }
}

function wordsOf({ buffer, starts, ends, count }: RequestParser): string[] {
  return Array.from({ length: count }, (_, i) => buffer.latin1Slice(starts[i], ends[i]));
}

const REQUESTS: [string, string, string[][]][] = [
  ['a command', '*2\r\n$4\r\nECHO\r\n$3\r\na\r\n\r\n', [['ECHO', 'a\r\n']]],
  ['empty arguments', '*3\r\n$4\r\nHSET\r\n$0\r\n\r\n$0\r\n\r\n', [['HSET', '', '']]],
  ['no arguments', '*0\r\n*-1\r\n*1\r\n$4\r\nPING\r\n', [[], [], ['PING']]],
  ['an inline command', 'PING hello\r\n', [['PING', 'hello']]],
  ['an empty line', '\r\nPING\n', [[], ['PING']]],
  [
    'a pipeline of both kinds',
    '*1\r\n$4\r\nPING\r\nECHO "a b"\r\n*1\r\n$1\r\nx\r\n',
    [['PING'], ['ECHO', 'a b'], ['x']],
  ],
  ['bytes that look like RESP', '*2\r\n$1\r\n*\r\n$8\r\n$1\r\n*1\r\n\r\n', [['*', '$1\r\n*1\r\n']]],
  [
    'entries',
    '*5\r\n$4\r\nXADD\r\n$1\r\ns\r\n$1\r\n*\r\n$3\r\nkey\r\n$12\r\n0123456789ab\r\n*1\r\n$4\r\nPING\r\n',
    [['XADD', 's', '*', 'key', '0123456789ab'], ['PING']],
  ],
];

describe('a request split at every position is the same request:', () => {
  test.each(REQUESTS)('%s', (_what, text, expected) => {
    const bytes = Buffer.from(text, 'latin1');
    expect(parse([bytes])).toEqual({ commands: expected });
    for (let at = 1; at < bytes.length; at++) {
      expect(parse([bytes.subarray(0, at), bytes.subarray(at)]), `split at ${at}`).toEqual({ commands: expected });
      for (let then = at + 1; then < bytes.length; then++) {
        const chunks = [bytes.subarray(0, at), bytes.subarray(at, then), bytes.subarray(then)];
        expect(parse(chunks), `split at ${at} and ${then}`).toEqual({ commands: expected });
      }
    }
    expect(parse([...bytes].map((byte) => Buffer.of(byte)))).toEqual({ commands: expected });
  });
});

describe('what is no request is refused, wherever it is split:', () => {
  test.each([
    ['*x\r\n', 'invalid multibulk length'],
    ['*1x\r\n', 'invalid multibulk length'],
    ['*1\rx', 'invalid multibulk length'],
    ['*1001\r\n', 'invalid multibulk length'],
    ['*9999999999999\r\n', 'invalid multibulk length'],
    ['*1\r\n+OK\r\n', "expected '$', got '+'"],
    ['*1\r\n\r\n', "expected '$', got '\\xd'"],
    ['*1\r\n$-1\r\n', 'invalid bulk length'],
    ['*1\r\n$1048577\r\n', 'invalid bulk length'],
    ['*2\r\n$1048000\r\n', null],
    ['*1\r\n$2\r\nabc\r\n', 'a bulk string does not end with CRLF'],
    ['ECHO "a\r\n', 'unbalanced quotes in request'],
  ])('%j: %s', (text, problem) => {
    const bytes = Buffer.from(text, 'latin1');
    const error = problem === null ? undefined : `Protocol error: ${problem}.`;
    for (let at = 0; at < bytes.length; at++) {
      expect(parse([bytes.subarray(0, at), bytes.subarray(at)]).error, `split at ${at}`).toBe(error);
    }
  });
});

test('a frame beyond the limit is refused before its bytes have come', () => {
  const half = commandBytes('x'.repeat(600_000), 'y').subarray(0, 600_015);
  expect(parse([half, Buffer.from('$600000\r\n')]).error).toContain('invalid bulk length');
});

test('random commands in random chunks come out as they went in', () => {
  const random = seededRandom(3);
  for (let round = 0; round < 300; round++) {
    const commands = Array.from({ length: 1 + random.below(20) }, () =>
      Array.from({ length: 1 + random.below(6) }, () => random.bytes(random.pick([0, 1, 7, 100, 5000]))),
    );
    const bytes = Buffer.concat(commands.map((words) => commandBytes(...words)));
    const chunks: Buffer[] = [];
    for (let at = 0; at < bytes.length; ) {
      const length = 1 + random.below(random.pick([3, 100, 10_000]));
      chunks.push(bytes.subarray(at, at + length));
      at += length;
    }
    const expected = commands.map((words) => words.map((word) => word.toString('latin1')));
    expect(parse(chunks).commands).toEqual(expected);
  }
});

test('a large command in small chunks costs time in proportion', () => {
  const bytes = commandBytes(...Array.from({ length: 900 }, () => Buffer.alloc(1000, 'a')));
  const parser = new RequestParser(LIMITS);
  const startedAt = performance.now();
  for (let round = 0; round < 5; round++) {
    for (let at = 0; at < bytes.length; at += 100) {
      parser.push(bytes.subarray(at, at + 100));
      parser.next();
    }
  }
  expect(parser.count).toBe(900);
  expect(performance.now() - startedAt).toBeLessThan(5000);
});
