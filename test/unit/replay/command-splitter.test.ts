import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { CommandSplitter } from '../../../src/replay/command-splitter.ts';
import { type Reply, ReplyParser } from '../../../src/replay/reply-parser.ts';

const RECORDING = gunzipSync(readFileSync('fixtures/pg-3.6-rdi/sink.client.resp.gz'));

describe('command splitter', () => {
  it('cuts a real recording into its commands without losing a byte', () => {
    const splitter = new CommandSplitter();
    const commands = splitter.push(RECORDING);
    expect(Buffer.concat(commands.map(({ bytes }) => bytes)).equals(RECORDING)).toBe(true);
    expect(commands.filter(({ name }) => name === 'XADD')).toHaveLength(1354);
    expect(commands[4]).toMatchObject({ name: 'INFO', key: 'memory' });
    expect(splitter.incompleteAt).toBeUndefined();
  });

  it('finds the same commands when the bytes are split at any one position', () => {
    const bytes = RECORDING.subarray(0, 1500);
    const complete = new CommandSplitter().push(bytes);
    expect(complete.length).toBeGreaterThan(6);
    for (let at = 0; at <= bytes.length; at++) {
      const splitter = new CommandSplitter();
      const commands = [...splitter.push(bytes.subarray(0, at)), ...splitter.push(bytes.subarray(at))];
      expect(commands.map(({ name, key, offset }) => ({ name, key, offset }))).toEqual(
        complete.map(({ name, key, offset }) => ({ name, key, offset })),
      );
    }
  });

  it('finds the same commands one byte at a time', () => {
    const splitter = new CommandSplitter();
    const commands = [...RECORDING.subarray(0, 20_000)].flatMap((byte) => splitter.push(Buffer.of(byte)));
    const complete = new CommandSplitter().push(RECORDING.subarray(0, 20_000));
    expect(commands.map(({ bytes }) => bytes.toString())).toEqual(complete.map(({ bytes }) => bytes.toString()));
  });

  it('says where a recording ends inside a command', () => {
    const splitter = new CommandSplitter();
    splitter.push(Buffer.from('*1\r\n$4\r\nPING\r\n*2\r\n$4\r\nIN'));
    expect(splitter.incompleteAt).toBe(14);
  });

  it.each([
    'PING\r\n',
    '*0\r\n',
    '*x\r\n',
    '*1\r\n+PING\r\n',
    '*1\r\n$4\r\nPINGxx',
    '*1\r\n$99999999999\r\n',
    '*\r\n',
    '*1\rx',
  ])('refuses %j with its place', (text) => {
    const splitter = new CommandSplitter();
    expect(() => splitter.push(Buffer.from(`*1\r\n$4\r\nPING\r\n${text}`))).toThrow(/at byte 14/);
  });
});

describe('reply parser', () => {
  const text = '+OK\r\n-ERR no\r\n:12\r\n$3\r\n1-0\r\n$-1\r\n*-1\r\n*2\r\n$1\r\na\r\n*1\r\n:1\r\n$0\r\n\r\n';
  const replies: Reply[] = [
    { kind: 'text', text: 'OK' },
    { kind: 'error', text: 'ERR no' },
    { kind: 'number', value: 12 },
    { kind: 'text', text: '1-0' },
    { kind: 'nil' },
    { kind: 'nil' },
    { kind: 'aggregate' },
    { kind: 'text', text: '' },
  ];

  it('understands every reply split at any position', () => {
    const bytes = Buffer.from(text);
    for (let at = 0; at <= bytes.length; at++) {
      const parser = new ReplyParser();
      expect([...parser.push(bytes.subarray(0, at)), ...parser.push(bytes.subarray(at))]).toEqual(replies);
    }
  });

  it('refuses what is not the Redis protocol', () => {
    expect(() => new ReplyParser().push(Buffer.from('HTTP/1.1 400 Bad Request\r\n'))).toThrow(/not the Redis protocol/);
  });
});
