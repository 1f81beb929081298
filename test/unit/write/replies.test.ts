import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Reply, ReplyError, ReplyFault, ReplyParser } from '../../../src/write/replies.ts';

function parse(...chunks: (string | Buffer)[]): Reply[] {
  const replies: Reply[] = [];
  const parser = new ReplyParser((reply) => replies.push(reply));
  for (const chunk of chunks) parser.push(typeof chunk === 'string' ? Buffer.from(chunk) : chunk);
  return replies;
}

const EVERY_KIND =
  ':12\r\n:-3\r\n+OK\r\n+fine\r\n-WRONGTYPE bad\r\n$3\r\nabc\r\n$-1\r\n$0\r\n\r\n*-1\r\n*2\r\n:1\r\n*1\r\n+a\r\n' +
  '_\r\n#t\r\n#f\r\n,1.5\r\n(99999999999999999999\r\n!5\r\nERR x\r\n=7\r\ntxt:abc\r\n%1\r\n+k\r\n:1\r\n~1\r\n:2\r\n' +
  '>2\r\n+push\r\n+ignored\r\n|1\r\n+ttl\r\n:3\r\n$4\r\nZo\u00eb\r\n';
const SAID: Reply[] = [
  ...[12, -3, 'OK', 'fine', new ReplyError('WRONGTYPE bad'), 'abc', null, '', null, [1, ['a']]],
  ...[null, 1, 0, '1.5', '99999999999999999999', new ReplyError('ERR x'), 'abc', ['k', 1], [2], 'Zo\u00eb'],
];

describe('replies', () => {
  it('of every kind are read, push messages and attributes skipped', () => {
    expect(parse(EVERY_KIND)).toEqual(SAID);
  });

  it('may be cut at any byte', () => {
    const bytes = Buffer.from(EVERY_KIND);
    for (let at = 1; at < bytes.length; at++) {
      expect(parse(bytes.subarray(0, at), bytes.subarray(at))).toEqual(SAID);
    }
    expect(parse(...Array.from(bytes, (byte) => Buffer.of(byte)))).toEqual(SAID);
  });

  it('are handed on as soon as they are whole', () => {
    expect(parse(':1\r\n:2\r\n:3\r')).toEqual([1, 2]);
  });

  for (const bad of [
    '?\r\n',
    ':\r\n',
    ':1x\r\n',
    '+a\rb',
    '$3\r\nabcd\r\n',
    '$-2\r\n',
    '*-7\r\n',
    '#x\r\n',
    '_1\r\n',
    '\r\n',
  ]) {
    it(`that are none are a fault: ${JSON.stringify(bad)}`, () => {
      expect(() => parse(bad)).toThrow(ReplyFault);
    });
  }

  it('without end or of impossible size are a fault, not a growing buffer', () => {
    expect(() => parse(`+${'x'.repeat(70_000)}`)).toThrow(ReplyFault);
    expect(() => parse('$99999999999\r\n')).toThrow(ReplyFault);
    expect(() => parse('*99999999\r\n')).toThrow(ReplyFault);
    expect(() => parse('*1\r\n'.repeat(100))).toThrow(ReplyFault);
    expect(() => parse(`:${'1'.repeat(40)}`)).toThrow(ReplyFault);
  });

  it('made of random bytes never do anything but reply or fault', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        try {
          parse(Buffer.from(bytes));
        } catch (error) {
          if (!(error instanceof ReplyFault)) throw error;
        }
      }),
      { numRuns: 5000 },
    );
  });

  it('that are mutated never do anything but reply or fault', () => {
    const good = Buffer.from(EVERY_KIND);
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), { maxLength: 5 }), (changes) => {
        const bytes = Buffer.from(good);
        for (const [at, byte] of changes) bytes[at] = byte;
        try {
          parse(bytes);
        } catch (error) {
          if (!(error instanceof ReplyFault)) throw error;
        }
      }),
      { numRuns: 5000 },
    );
  });
});
