import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { commandBytes } from '../../helpers/bulk-strings.ts';
import { type EndpointWorld, startEndpoint } from '../../helpers/endpoint.ts';
import { RawClient } from '../../helpers/raw-client.ts';
import { type RedisServer, startRedis } from '../../helpers/redis-server.ts';

let redis: RedisServer;
let ours: EndpointWorld;
let redisWithUser: RedisServer;
let oursWithUser: EndpointWorld;

beforeAll(async () => {
  redis = await startRedis();
  ours = await startEndpoint();
  redisWithUser = await startRedis();
  const admin = await RawClient.connect(redisWithUser.port);
  await admin.ask('ACL', 'SETUSER', 'debezium', 'on', '>secret', '~*', '+@all');
  await admin.ask('ACL', 'SETUSER', 'default', 'off');
  admin.close();
  oursWithUser = await startEndpoint({ endpoint: { users: [{ name: 'debezium', password: 'secret' }] } });
  for (const port of [redis.port, ours.port]) {
    const client = await RawClient.connect(port);
    await client.ask('XADD', 'data:orders', '1-1', 'key', '{"id":1}', 'value', 'x');
    await client.ask('XADD', 'data:orders', '1-2', 'key', '{"id":2}', 'value', 'y');
    await client.ask('XADD', 'data:orders', '2-0', 'only', '');
    await client.ask('HSET', 'metadata:debezium:offsets', '["a"]', '{"lsn":1}');
    client.close();
  }
});

afterAll(async () => {
  await ours.close();
  await oursWithUser.close();
  await redis.stop();
  await redisWithUser.stop();
});

/** Sends the same bytes to both and gives back both answers; a closed connection ends an answer with `<closed>`. */
async function both(bytes: string, ports = [redis.port, ours.port]): Promise<string[]> {
  return Promise.all(ports.map((port) => answer(port, bytes)));
}

async function answer(port: number, bytes: string): Promise<string> {
  const client = await RawClient.connect(port);
  client.send(bytes);
  client.send(commandBytes('ECHO', 'the end'));
  let text = '';
  try {
    for (;;) {
      const reply = await client.reply(10_000);
      if (reply === '$7\r\nthe end\r\n' || (text !== '' && reply.startsWith('-NOAUTH Auth'))) return text;
      text += reply;
    }
  } catch {
    return `${text}${client.unread}${client.isClosed ? '<closed>' : '<hangs>'}`;
  } finally {
    client.close();
  }
}

const line = (...words: string[]) =>
  commandBytes(...words.map((word) => Buffer.from(word, 'latin1'))).toString('latin1');

describe('the same bytes get the same answer as from redis-server 7.0.15:', () => {
  test.each(
    [
      ['PING'],
      ['PING', 'hello'],
      ['PING', 'a', 'b'],
      ['ping'],
      ['ECHO'],
      ['ECHO', 'a', 'b'],
      ['QUIT'],
      ['SELECT', '0'],
      ['SELECT', '15'],
      ['SELECT', '16'],
      ['SELECT', '-1'],
      ['SELECT', 'a'],
      ['SELECT'],
      ['AUTH'],
      ['AUTH', 'x'],
      ['AUTH', 'default', 'x'],
      ['AUTH', 'nobody', 'x'],
      ['AUTH', 'a', 'b', 'c'],
      ['CLIENT', 'SETNAME', 'debezium:redis:sink'],
      ['CLIENT', 'SETNAME', 'a b'],
      ['CLIENT', 'SETNAME', 'a\nb'],
      ['CLIENT', 'SETNAME', ''],
      ['CLIENT', 'GETNAME'],
      ['CLIENT', 'SETNAME'],
      ['CLIENT'],
      ['CLIENT', 'NOSUCH'],
      ['HELLO', '4'],
      ['HELLO', '1'],
      ['HELLO', 'a'],
      ['HELLO', '3', 'AUTH', 'a'],
      ['HELLO', '3', 'AUTH', 'nobody', 'x'],
      ['HELLO', '3', 'NOSUCH'],
      ['HELLO', '3', 'SETNAME', 'a b'],
      ['RESET'],
      ['XLEN', 'data:orders'],
      ['XLEN', 'nothing'],
      ['XLEN', 'metadata:debezium:offsets'],
      ['XLEN'],
      ['XRANGE', 'data:orders', '-', '+'],
      ['XRANGE', 'data:orders', '-', '+', 'COUNT', '2'],
      ['XRANGE', 'data:orders', '-', '+', 'COUNT', '0'],
      ['XRANGE', 'data:orders', '-', '+', 'COUNT', '-1'],
      ['XRANGE', 'data:orders', '-', '+', 'COUNT', 'a'],
      ['XRANGE', 'data:orders', '-', '+', 'COUNT'],
      ['XRANGE', 'data:orders', '-', '+', 'LIMIT', '1'],
      ['XRANGE', 'data:orders', '1', '1'],
      ['XRANGE', 'data:orders', '1-2', '+'],
      ['XRANGE', 'data:orders', '(1-1', '(2-0'],
      ['XRANGE', 'data:orders', '+', '-'],
      ['XRANGE', 'data:orders', 'a', '+'],
      ['XRANGE', 'data:orders', '1-a', '+'],
      ['XRANGE', 'data:orders', '-', '(0'],
      ['XRANGE', 'data:orders', '-', '(0-0'],
      ['XRANGE', 'nothing', '-', '+', 'COUNT', '0'],
      ['SCAN', '0', 'COUNT', '-1'],
      ['WAIT', '-1', '0'],
      ['XRANGE', 'data:orders', '(18446744073709551615-18446744073709551615', '+'],
      ['XRANGE', 'nothing', '-', '+'],
      ['XRANGE', 'metadata:debezium:offsets', '-', '+'],
      ['XRANGE', 'data:orders'],
      ['XREVRANGE', 'data:orders', '+', '-'],
      ['XREVRANGE', 'data:orders', '+', '-', 'COUNT', '1'],
      ['XREVRANGE', 'data:orders', '1-1', '-'],
      ['XREAD', 'STREAMS', 'data:orders', '0'],
      ['XREAD', 'COUNT', '1', 'STREAMS', 'data:orders', '1-1'],
      ['XREAD', 'STREAMS', 'data:orders', '$'],
      ['XREAD', 'STREAMS', 'data:orders'],
      ['XREAD', 'STREAMS', 'data:orders', 'x'],
      ['XREAD', 'BLOCK', '20', 'STREAMS', 'data:orders', '$'],
      ['XREAD', 'BLOCK', 'a', 'STREAMS', 'data:orders', '$'],
      ['XREAD', 'STREAMS', 'metadata:debezium:offsets', '0'],
      ['XINFO', 'STREAM', 'nothing'],
      ['XINFO', 'GROUPS', 'data:orders'],
      ['XINFO', 'NOSUCH', 'x'],
      ['XINFO'],
      ['TYPE', 'data:orders'],
      ['TYPE', 'metadata:debezium:offsets'],
      ['TYPE', 'nothing'],
      ['EXISTS', 'data:orders', 'nothing', 'metadata:debezium:offsets', 'data:orders'],
      ['TTL', 'data:orders'],
      ['PTTL', 'nothing'],
      ['DBSIZE'],
      ['DBSIZE', 'x'],
      ['KEYS', 'data:*'],
      ['KEYS', 'x*'],
      ['KEYS', 'data:order[a-s]'],
      ['KEYS', 'data:order[^a-s]'],
      ['SCAN', '0', 'MATCH', 'data:*', 'COUNT', '100'],
      ['SCAN', '0', 'TYPE', 'hash', 'COUNT', '100'],
      ['SCAN', 'x'],
      ['SCAN', '0', 'COUNT', '0'],
      ['SCAN', '0', 'COUNT', 'x'],
      ['SCAN', '0', 'NOSUCH'],
      ['HGETALL', 'metadata:debezium:offsets'],
      ['HGETALL', 'nothing'],
      ['HGETALL', 'data:orders'],
      ['HGET', 'metadata:debezium:offsets', '["a"]'],
      ['HGET', 'metadata:debezium:offsets', 'b'],
      ['HGET', 'data:orders', 'b'],
      ['HLEN', 'metadata:debezium:offsets'],
      ['HLEN', 'nothing'],
      ['HKEYS', 'metadata:debezium:offsets'],
      ['HSET', 'h', 'f'],
      ['HSET', 'h', 'f', 'v', 'g'],
      ['HMSET', 'h', 'f', 'v', 'g'],
      ['HSET', 'data:orders', 'f', 'v'],
      ['HSET', 'h:1', 'f', 'v', 'g', '', 'f', 'w'],
      ['HSET', 'h:1', 'f', 'v', 'new', 'x'],
      ['HMSET', 'h:1', 'f', 'v'],
      ['OBJECT', 'ENCODING', 'data:orders'],
      ['OBJECT', 'ENCODING', 'nothing'],
      ['OBJECT', 'NOSUCH', 'x'],
      ['MEMORY', 'USAGE', 'nothing'],
      ['MEMORY', 'NOSUCH'],
      ['WAIT', '0', '0'],
      ['WAIT', '1'],
      ['WAIT', 'a', '0'],
      ['WAIT', '0', 'a'],
      ['WAIT', '0', '-1'],
      ['CONFIG', 'GET', 'maxmemory'],
      ['CONFIG', 'GET', 'nothing'],
      ['CONFIG', 'GET'],
      ['CONFIG', 'NOSUCH'],
      ['CLUSTER', 'NOSUCH'],
      ['COMMAND', 'NOSUCH'],
      ['NOSUCH'],
      ['NOSUCH', 'a', 'b'],
      ['NOSUCH', 'x'.repeat(200), 'y'.repeat(200)],
      ['n'.repeat(300), 'a'],
      ['no\r\nsuch', 'a\nb'],
      ['XADD'],
    ].map((words) => [words.join(' ').slice(0, 60), words] as const),
  )('%j', async (_what, words) => {
    const [theirs, mine] = await both(line(...words));
    expect(mine).toBe(theirs);
  });

  test.each([
    ['an inline command', 'PING\r\n'],
    ['an inline command without carriage return', 'PING\n'],
    ['empty lines', '\r\n\r\n\nPING\r\n'],
    ['blanks', '   ECHO    a  \r\n'],
    ['double quotes', 'ECHO "a b\\x41\\n\\"c"\r\n'],
    ['single quotes', "ECHO 'a b\\'c\\n'\r\n"],
    ['quotes inside a word', 'ECHO a"b c"\r\n'],
    ['text behind a closing quote', 'ECHO "a"b\r\n'],
    ['an open quote', 'ECHO "a\r\n'],
    ['bytes beyond ASCII', 'ECHO \xc3\xa0\xa0\x85b\r\n'],
    ['no arguments', '*0\r\n*-1\r\nPING\r\n'],
    ['a pipeline', '*1\r\n$4\r\nPING\r\n*2\r\n$4\r\nECHO\r\n$3\r\na\r\n\r\n*1\r\n$4\r\nping\r\n'],
    ['an inline command within a pipeline', '*1\r\n$4\r\nPING\r\nECHO b\r\n*1\r\n$4\r\nPING\r\n'],
    ['a number of arguments that is none', '*x\r\n'],
    ['an array without a number', '*\r\n'],
    ['something else than a bulk string', '*1\r\n:4\r\n'],
    ['a length that is none', '*1\r\n$x\r\n'],
    ['a negative length', '*1\r\n$-1\r\n'],
    ['a length beyond any limit', '*1\r\n$99999999999\r\n'],
    ['arguments beyond any limit', '*99999999999\r\n'],
    ['an error behind good commands', 'PING\r\n*1\r\n$4\r\nPING\r\n*1\r\n$x\r\n'],
  ])('%s', async (_what, bytes) => {
    const [theirs, mine] = await both(bytes);
    expect(mine).toBe(theirs);
  });

  test.each([
    [['PING']],
    [['HGETALL', 'x']],
    [['NOSUCH']],
    [['AUTH', 'debezium', 'wrong']],
    [['AUTH', 'nobody', 'secret']],
    [['AUTH', 'debezium', 'secret']],
    [['HELLO', '3']],
    [['HELLO', '2', 'AUTH', 'debezium', 'wrong']],
    [['INFO']],
    [['XLEN']],
    [['SELECT']],
  ])('before a log-in: %j', async (words) => {
    const [theirs, mine] = await both(line(...words), [redisWithUser.port, oursWithUser.port]);
    expect(mine).toBe(theirs);
  });

  test('a line without an end is refused', async () => {
    for (const port of [redis.port, ours.port]) {
      const client = await RawClient.connect(port);
      client.send('x'.repeat(70_000));
      expect(await client.rest()).toBe('-ERR Protocol error: too big inline request\r\n');
    }
  });

  test.each(['*11\r\n', '*1\r\n$16385\r\n', `*1\r\n$20000\r\n${'x'.repeat(20_000)}\r\n`])(
    'before a log-in, frames are small: %j',
    async (bytes) => {
      // A server that closes with bytes unread resets the connection, and its last words may be lost on the way.
      const answers = async (port: number) => {
        for (let i = 0; i < 20; i++) {
          const text = await answer(port, bytes);
          if (text !== '<closed>') return text;
        }
        return '<closed>';
      };
      expect(await answers(oursWithUser.port)).toBe(await answers(redisWithUser.port));
    },
  );

  test('RESP3 answers', async () => {
    const bytes = [
      ['HGETALL', 'metadata:debezium:offsets'],
      ['HGETALL', 'nothing'],
      ['HGET', 'metadata:debezium:offsets', 'nothing'],
      ['CONFIG', 'GET', 'maxmemory'],
      ['XREAD', 'STREAMS', 'data:orders', '0'],
      ['XREAD', 'STREAMS', 'data:orders', '$'],
      ['XRANGE', 'data:orders', '-', '+'],
      ['CLIENT', 'GETNAME'],
      ['OBJECT', 'ENCODING', 'nothing'],
      ['MEMORY', 'USAGE', 'nothing'],
      ['COMMAND', 'DOCS', 'nosuch'],
    ].map((words) => line(...words));
    const [theirs, mine] = await both(line('HELLO', '3') + bytes.join(''));
    const behindHello = (text: string | undefined) => text?.slice(text.indexOf('%1'));
    expect(behindHello(mine)).toBe(behindHello(theirs));
  });

  test('HELLO tells the same facts in both versions', async () => {
    for (const version of ['2', '3']) {
      const [theirs, mine] = await both(line('HELLO', version));
      const withoutId = (text: string | undefined) => text?.replace(/(\$2\r\nid\r\n:)\d+/, '$1');
      expect(withoutId(mine)).toBe(withoutId(theirs));
    }
  });
});
