import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, test } from 'vitest';
import { commandBytes } from '../../helpers/bulk-strings.ts';
import { type EndpointWorld, type EndpointWorldOptions, startEndpoint, storedTexts } from '../../helpers/endpoint.ts';
import type { RawClient } from '../../helpers/raw-client.ts';
import { until } from '../../helpers/redis-server.ts';

const ID = /^\$\d+\r\n\d+-\d+\r\n$/;

let world: EndpointWorld | undefined;
afterEach(async () => {
  await world?.close();
  world = undefined;
});

async function start(options?: EndpointWorldOptions): Promise<EndpointWorld> {
  world = await startEndpoint(options);
  return world;
}

function xadd(text: string, stream = 'data:orders'): Buffer {
  return commandBytes('XADD', stream, '*', 'key', '{"id":1}', 'value', text);
}

function idsGrow(replies: readonly string[]): boolean {
  const ids = replies.map((reply) => reply.split('\r\n')[1]!.split('-').map(Number));
  return ids.every(([ms = 0, seq = 0], i) => {
    const [lastMs = -1, lastSeq = 0] = ids[i - 1] ?? [];
    return ms > lastMs || (ms === lastMs && seq > lastSeq);
  });
}

describe('a feeder’s conversation', () => {
  test('split at every position gets the same replies', async () => {
    const { client } = await start();
    const conversation = Buffer.concat([
      commandBytes('PING'),
      Buffer.from('PING inline\r\n'),
      commandBytes('XADD', 'data:s', '*', 'key', 'ü'),
      commandBytes('WAIT', '1', '1000'),
      commandBytes('HSET', 'metadata:debezium:offsets', 'f', 'v'),
      commandBytes('HGETALL', 'metadata:debezium:offsets'),
      commandBytes('NOSUCH'),
    ]);
    const one = await client();
    one.send(conversation);
    await one.replies(7);
    for (let at = 1; at < conversation.length; at++) {
      const split = await client();
      split.send(conversation.subarray(0, at));
      await new Promise((resolve) => setImmediate(resolve));
      split.send(conversation.subarray(at));
      const [pong, inline, id, wait, hset, all, unknown] = await split.replies(7);
      expect([pong, inline, wait, hset]).toEqual(['+PONG\r\n', '$6\r\ninline\r\n', ':1\r\n', ':0\r\n']);
      expect(id).toMatch(ID);
      expect(all).toBe('*2\r\n$1\r\nf\r\n$1\r\nv\r\n');
      expect(unknown).toBe("-ERR unknown command 'NOSUCH', with args beginning with: \r\n");
      split.close();
    }
  });

  test('in single bytes is understood', async () => {
    const { client, store } = await start();
    const one = await client();
    for (const byte of xadd('slow')) {
      one.send(Buffer.of(byte));
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(await one.reply()).toMatch(ID);
    expect(await storedTexts(store)).toMatchObject([
      { stream: 'data:orders', fields: expect.stringContaining('slow') },
    ]);
  });

  test('of 2048 entries with 1 MB each is answered in order with growing ids, and its memory is given back', async () => {
    const { client, store } = await start({ store: { diskLimitBytes: 2 ** 33, tailBytes: 8 << 20 } });
    const one = await client();
    const entry = xadd('x'.repeat(1 << 20));
    // The whole pipeline is written before a reply is read, as Jedis does.
    for (let i = 0; i < 2048; i++) {
      if (!one.socket.write(entry)) await new Promise((resolve) => one.socket.once('drain', resolve));
    }
    const replies = await one.replies(2048, 120_000);
    expect(replies.every((reply) => ID.test(reply))).toBe(true);
    expect(idsGrow(replies)).toBe(true);
    expect(store.stream(0, 'data:orders').appended).toBe(2048);
    expect(store.bufferedBytes).toBeLessThanOrEqual((8 << 20) + (2 << 20));
  }, 180_000);

  test('of 200 000 entries in one pipeline is answered', async () => {
    const { client } = await start();
    const one = await client();
    one.send(Buffer.concat(Array.from({ length: 200_000 }, () => xadd('a'))));
    let last = '';
    for (let i = 0; i < 200_000; i++) last = await one.reply(30_000);
    expect(last).toMatch(ID);
  });
});

describe('the handshake of', () => {
  const NAME = ['CLIENT', 'SETNAME', 'debezium:redis:sink'];
  const groups: [string, (auth: string[][], select: string[][]) => string[][]][] = [
    ['1.9.0 – 1.9.3', (auth) => [NAME, ...(auth.length > 0 ? auth : [['PING']])]],
    ['1.9.4 – 2.3', (auth) => [...(auth.length > 0 ? auth : [['PING']]), NAME]],
    ['2.4 – 2.6', (auth, select) => [...select, ...(auth.length > 0 ? auth : [['PING']]), NAME]],
    ['2.7 – 3.1', (auth, select) => [...auth, ...select, ['PING'], NAME]],
    [
      '3.2 and later',
      (auth, select) => [
        ...auth,
        ['CLIENT', 'SETINFO', 'LIB-NAME', 'jedis'],
        ['CLIENT', 'SETINFO', 'LIB-VER', '6.0.0'],
        ...select,
        ['PING'],
        NAME,
      ],
    ],
  ];
  const logIns: [string, { name: string; password: string }[], string[][]][] = [
    ['nobody', [], []],
    ['a password', [{ name: 'default', password: 'secret' }], [['AUTH', 'secret']]],
    ['user and password', [{ name: 'debezium', password: 'ß' }], [['AUTH', 'debezium', 'ß']]],
  ];
  const cases = groups.flatMap(([version, commands]) =>
    logIns.flatMap(([who, users, auth]) => [0, 3].map((db) => ({ version, who, db, users, auth, commands }))),
  );
  test.each(cases)('Debezium $version with $who on database $db', async ({ db, users, auth, commands }) => {
    const { client, store, endpoint } = await start({ endpoint: { users } });
    const one = await client();
    const handshake = commands(auth, db > 0 ? [['SELECT', String(db)]] : []);
    for (const words of handshake) expect(await one.ask(...words)).toBe(words[0] === 'PING' ? '+PONG\r\n' : '+OK\r\n');
    if (handshake.some(([first]) => first === 'SELECT') || db === 0) {
      expect(await one.ask('XADD', 'data:orders', '*', '{"id":1}', 'x')).toMatch(ID);
      expect(store.streams().map((stream) => [stream.db, stream.name])).toEqual([[db, 'data:orders']]);
    }
    expect(endpoint.state.connections).toMatchObject([
      { name: 'debezium:redis:sink', user: users[0]?.name ?? 'default' },
    ]);
  });

  test('a stranger may not append: the connection closes, since an error would lose the record', async () => {
    const { client, store } = await start({ endpoint: { users: [{ name: 'debezium', password: 'x' }] } });
    const one = await client();
    one.send(xadd('a'));
    expect(await one.rest()).toBe('');
    expect(store.streams()).toEqual([]);
  });

  test('databases keep their keys apart', async () => {
    const { client } = await start();
    const one = await client();
    await one.ask('SELECT', '3');
    await one.ask('HSET', 'metadata:debezium:offsets', 'f', 'three');
    await one.ask('SELECT', '0');
    expect(await one.ask('HGETALL', 'metadata:debezium:offsets')).toBe('*0\r\n');
  });
});

describe('limits:', () => {
  test('a bad frame closes its own connection only, without an error behind which a feeder would lose a record', async () => {
    const { client, notices } = await start();
    const [feeder, person, other] = [await client(), await client(), await client()];
    await feeder.ask('CLIENT', 'SETNAME', 'debezium:redis:sink');
    expect(await feeder.ask('XADD', 's', '*', 'a', 'b')).toMatch(ID);
    feeder.send('*1\r\n$x\r\n');
    expect(await feeder.rest()).toBe('');
    person.send('PING\r\n*1\r\n$x\r\n');
    expect(await person.rest()).toBe('+PONG\r\n-ERR Protocol error: invalid bulk length\r\n');
    expect(await other.ask('PING')).toBe('+PONG\r\n');
    expect(notices.join()).toContain('debezium:redis:sink');
  });

  test('a bad frame behind entries that are not durable yet closes without an answer', async () => {
    const { client } = await start();
    const one = await client();
    one.send(Buffer.concat([xadd('a'), Buffer.from('*1\r\n$x\r\n')]));
    expect(await one.rest()).not.toContain('-ERR');
  });

  test('a frame, or a number of arguments, beyond the limit', async () => {
    const { client } = await start({ endpoint: { maxFrameBytes: 1000, maxArguments: 20 } });
    const [large, many] = [await client(), await client()];
    large.send(commandBytes('ECHO', 'x'.repeat(1000)));
    expect(await large.rest()).toContain('invalid bulk length');
    many.send(commandBytes(...Array(21).fill('x')));
    expect(await many.rest()).toContain('invalid multibulk length');
  });

  test('connections beyond the limit are refused, the others stay, and a free place is given away', async () => {
    const { client, endpoint } = await start({ endpoint: { maxConnections: 2 } });
    const [first] = [await client(), await client()];
    const third = await client();
    third.send('PING\r\n');
    expect(await third.rest()).toBe('-ERR max number of clients reached\r\n');
    expect(await first!.ask('PING')).toBe('+PONG\r\n');
    first!.close();
    await until('a place is free', () => endpoint.state.connections.length < 2);
    expect(await (await client()).ask('PING')).toBe('+PONG\r\n');
  });

  test('a flood of connections that reset at once harms nobody', async () => {
    const { client } = await start({ endpoint: { maxConnections: 1 } });
    const first = await client();
    for (let i = 0; i < 50; i++) {
      const one = await client();
      one.send('PING\r\n');
      one.socket.resetAndDestroy();
    }
    expect(await first.ask('PING')).toBe('+PONG\r\n');
  });

  test('who does not log in is sent away; who has nothing to say may stay', async () => {
    const users = [{ name: 'default', password: 'secret' }];
    const { client } = await start({ endpoint: { users, authTimeoutMs: 1000 } });
    const [stranger, friend] = [await client(), await client()];
    await friend.ask('AUTH', 'secret');
    const startedAt = performance.now();
    await stranger.rest();
    expect(performance.now() - startedAt).toBeLessThan(8000);
    await sleep(300);
    expect(await friend.ask('PING')).toBe('+PONG\r\n');
  });

  test('a client that closes with a reset in the middle of a command is a normal end', async () => {
    const { client, endpoint, store } = await start();
    const one = await client();
    one.send(xadd('whole'));
    await one.reply();
    one.send(xadd('half').subarray(0, 40));
    one.socket.resetAndDestroy();
    await until('the connection is gone', () => endpoint.state.connections.length === 0);
    expect(await storedTexts(store)).toHaveLength(1);
  });

  test('closing the endpoint does not wait for clients that hold on', async () => {
    const { client, endpoint } = await start({ endpoint: { maxConnections: 1 } });
    await (await client()).ask('PING');
    const refused = await client();
    refused.socket.pause();
    const startedAt = performance.now();
    await endpoint.close();
    expect(performance.now() - startedAt).toBeLessThan(8000);
  });
});

describe('what an XADD may hold:', () => {
  test.each([
    ['no fields', ['XADD', 'data:s', '*']],
    ['no id', ['XADD', 'data:s']],
    ['an odd number of fields', ['XADD', 'data:s', '*', 'a']],
    ['a strange id', ['XADD', 'data:s', 'abc', 'a', 'b']],
    ['an id of the past', ['XADD', 'data:s', '0-1', 'a', 'b']],
    ['an id that is half open', ['XADD', 'data:s', '5-*', 'a', 'b']],
    ['the id 0-0', ['XADD', 'data:s', '0-0', 'a', 'b']],
    ['NOMKSTREAM', ['XADD', 'data:s', 'NOMKSTREAM', '*', 'a', 'b']],
    ['MAXLEN', ['XADD', 'data:s', 'MAXLEN', '~', '1000', 'LIMIT', '5', '*', 'a', 'b']],
    ['MAXLEN without its number', ['XADD', 'data:s', 'MAXLEN']],
    ['an empty key', ['XADD', '', '*', 'a', 'b']],
    ['empty fields', ['XADD', 'data:s', '*', '', '']],
    ['bytes that are no text', ['XADD', Buffer.of(0xff, 0), '*', Buffer.of(0, 10, 13), Buffer.of(200)]],
    ['the key of the offsets', ['XADD', 'metadata:debezium:offsets', '*', 'a', 'b']],
    ['the key of a dead letter queue', ['XADD', 'dlq:data:s', '*', 'a', 'b']],
    ['capitals or none', ['xAdD', 'data:s', '*', 'a', 'b']],
    ['2000 fields', ['XADD', 'data:s', '*', ...Array(2000).fill('x')]],
  ] as [string, (string | Buffer)[]][])('%s is answered with an id and stored', async (_what, words) => {
    const { client, store } = await start();
    const one = await client();
    await one.ask('HSET', 'metadata:debezium:offsets', 'f', 'v');
    expect(await one.ask(...words)).toMatch(ID);
    expect(await storedTexts(store)).toHaveLength(1);
  });

  test('an entry is kept byte for byte', async () => {
    const { client, store } = await start();
    const one = await client();
    const value = Buffer.from(Array.from({ length: 256 }, (_, i) => i));
    await one.ask('XADD', 'data:s', '*', 'key', value);
    const [entry] = (await store.reader(0, () => true, false).next({ entries: 1, bytes: 1000 }))!.entries;
    const { bytes, start: from, end, fieldCount } = entry!;
    expect(fieldCount).toBe(2);
    expect(bytes.subarray(from, end)).toEqual(commandBytes('key', value).subarray(4));
    const [ms, seq] = [entry!.ms, entry!.seq];
    const shown = await one.ask('XRANGE', 'data:s', '-', '+');
    expect(shown).toContain(`${ms}-${seq}\r\n*2\r\n$3\r\nkey\r\n$256\r\n${value.toString('latin1')}\r\n`);
  });
});

describe('the schema history', () => {
  test('of 50 000 entries is sent without a pause of 2 s, in order, while others are served', async () => {
    const { client, store } = await start();
    const key = 'metadata:debezium:schema_history';
    const ddl = 'x'.repeat(1500);
    store.metadata.setFields(0, 'metadata:debezium:offsets', [['f', Buffer.from('v')]]);
    for (let i = 0; i < 50_000; i++) {
      const text = `${i} ${ddl}`;
      store.metadata.append(0, key, Buffer.from(`$6\r\nschema\r\n$${text.length}\r\n${text}\r\n`), 2);
    }
    const [reader, other] = [await client(), await client()];
    await reader.ask('CLIENT', 'SETNAME', 'debezium:schema_history');
    expect(await reader.ask('XLEN', key)).toBe(':50000\r\n');
    reader.socket.removeAllListeners('data');
    let longest = 0;
    let last = performance.now();
    let end = '';
    const chunks: Buffer[] = [];
    reader.socket.on('data', (chunk: Buffer) => {
      longest = Math.max(longest, performance.now() - last);
      last = performance.now();
      end = (end + chunk.toString('latin1', Math.max(0, chunk.length - 2000))).slice(-2000);
      chunks.push(chunk);
    });
    reader.send(commandBytes('XRANGE', key, '-', '+'));
    let slowest = 0;
    while (!end.endsWith(`\r\n49999 ${ddl}\r\n`)) {
      const askedAt = performance.now();
      expect(await other.ask('PING')).toBe('+PONG\r\n');
      slowest = Math.max(slowest, performance.now() - askedAt);
      await sleep(100);
    }
    expect(longest).toBeLessThan(2000);
    expect(slowest).toBeLessThan(1000);
    const text = Buffer.concat(chunks).toString('latin1');
    expect(text.startsWith('*50000\r\n')).toBe(true);
    const numbers = [...text.matchAll(/\r\n(\d+) x/g)].map((match) => Number(match[1]));
    expect(numbers).toEqual(Array.from({ length: 50_000 }, (_, i) => i));
  });

  test('that grows while it is sent is sent as it was', async () => {
    const { client, store } = await start();
    const key = 'metadata:debezium:schema_history';
    const entry = Buffer.from(`$6\r\nschema\r\n$4000\r\n${'x'.repeat(4000)}\r\n`);
    for (let i = 0; i < 2000; i++) store.metadata.append(0, key, entry, 2);
    const [reader, writer] = [await client(), await client()];
    reader.send(Buffer.concat([commandBytes('XRANGE', key, '-', '+'), commandBytes('PING')]));
    for (let i = 0; i < 20; i++) expect(await writer.ask('XADD', key, '*', 'schema', 'new')).toMatch(ID);
    const reply = await reader.reply();
    expect(reply.startsWith('*2000\r\n')).toBe(true);
    expect(await reader.reply()).toBe('+PONG\r\n');
  });

  test('is shown from both ends and in parts', async () => {
    const { client } = await start();
    const one = await client();
    const key = 'metadata:debezium:schema_history';
    for (const text of ['a', 'b', 'c']) await one.ask('XADD', key, '*', 'schema', text);
    const letters = (reply: string) => [...reply.matchAll(/schema\r\n\$1\r\n(.)/g)].map((match) => match[1]).join('');
    expect(letters(await one.ask('XRANGE', key, '-', '+'))).toBe('abc');
    expect(letters(await one.ask('XREVRANGE', key, '+', '-'))).toBe('cba');
    expect(letters(await one.ask('XRANGE', key, '-', '+', 'COUNT', '2'))).toBe('ab');
    expect(letters(await one.ask('XREVRANGE', key, '+', '-', 'COUNT', '1'))).toBe('c');
    expect(await one.ask('XRANGE', key, '+', '-')).toBe('*0\r\n');
  });
});

async function pushAll(one: RawClient, count: number): Promise<string[]> {
  one.send(Buffer.concat(Array.from({ length: count }, (_, i) => xadd(`entry ${i}`))));
  return one.replies(count);
}

test('several feeders append side by side, each with growing ids', async () => {
  const { client, store } = await start();
  const clients = await Promise.all(Array.from({ length: 8 }, () => client()));
  const replies = await Promise.all(clients.map((one) => pushAll(one, 500)));
  for (const list of replies) expect(idsGrow(list)).toBe(true);
  expect(store.stream(0, 'data:orders').appended).toBe(4000);
  expect(new Set(replies.flat()).size).toBe(4000);
});
