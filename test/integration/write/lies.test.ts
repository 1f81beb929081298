import { afterEach, describe, expect, it } from 'vitest';
import { type TargetState, type TargetWrite, Writer, type WriterOptions } from '../../../src/write/index.ts';
import { type Lie, LyingServer, type LyingServerOptions } from '../../helpers/lying-server.ts';
import { until } from '../../helpers/redis-server.ts';
import { del, hash, json } from '../../helpers/target-writes.ts';

let server: LyingServer;
let writer: Writer;
let states: TargetState[];

afterEach(async () => {
  await writer.close(500);
  await server.stop();
});

async function start(
  lies: LyingServerOptions,
  options: Partial<WriterOptions> = {},
  login: { user?: string; password?: string } = {},
): Promise<void> {
  server = await LyingServer.start(lies);
  states = [];
  writer = new Writer({
    connection: { host: '127.0.0.1', port: server.port, ...login },
    retry: { initialDelayMs: 5, maxDelayMs: 20, multiplier: 2 },
    connectTimeoutMs: 500,
    onState: (state) => states.push(state),
    ...options,
  });
  await writer.connect();
}

/** Five keys, each written three times in batches of their own, so that order can go wrong between them. */
const BATCHES: readonly (readonly TargetWrite[])[] = [1, 2, 3].map((round) =>
  ['a', 'b', 'c', 'd', 'e'].map((key, index) => hash(key, { round, [`only${round}`]: 'x' }, index)),
);

async function writeAll(batches = BATCHES) {
  const dones = [];
  for (const batch of batches) dones.push((await writer.write(batch)).done);
  return Promise.all(dones);
}

const EXPECTED = Object.fromEntries(
  ['a', 'b', 'c', 'd', 'e'].map((key) => [key, { round: '3', only1: 'x', only2: 'x', only3: 'x' }]),
);

/** Of each key, the rounds in the order of execution: they may repeat, but never go back below one that was answered. */
function expectOrder(): void {
  const last = new Map<string, number>();
  for (const [name, key, , round] of server.executed) {
    if (name !== 'HSET') continue;
    expect(Number(round), `${key} in ${JSON.stringify(server.executed)}`).toBeGreaterThanOrEqual(last.get(key!) ?? 0);
    last.set(key!, Number(round));
  }
}

/** Lies once, at the `position`th HSET (counted from 0 over all connections). */
function once(position: number, lie: Lie): (words: readonly string[]) => Lie | undefined {
  let seen = 0;
  return (words) => (words[0] === 'HSET' && seen++ === position ? lie : undefined);
}

describe('a connection that ends', () => {
  const ways: Lie[] = [
    { cut: 'before' },
    { cut: 'after' },
    { cut: 'unanswered' },
    { silent: true },
    { reply: '?what\r\n' },
  ];
  for (const way of ways) {
    it(`at any reply loses nothing and keeps the order per key: ${JSON.stringify(way)}`, async () => {
      for (let position = 0; position < 15; position++) {
        await start({ lie: once(position, way) }, { socketTimeoutMs: 30 });
        const outcomes = await writeAll();
        expect(outcomes).toEqual(BATCHES.map(() => ({ superseded: [], refused: [] })));
        expect(server.content()).toEqual(EXPECTED);
        expectOrder();
        await until('a second connection', () => server.connections >= 2);
        await writer.close(100);
        await server.stop();
      }
    });
  }

  it('after some replies repeats only what had none', async () => {
    await start({ lie: once(2, { cut: 'after' }) });
    await (await writer.write(BATCHES[0]!)).done;
    expect(server.executed.map((words) => words[1])).toEqual(['a', 'b', 'c', 'd', 'e']);
  });

  it('is killed at the server before anything is sent on the next one', async () => {
    await start({ lie: once(3, { silent: true }) }, { socketTimeoutMs: 300 });
    await writeAll();
    expect(server.asked.filter((words) => words[1] === 'KILL')).toEqual([['CLIENT', 'KILL', 'ID', '1']]);
  });

  it('again and again makes progress all the same', async () => {
    let count = 0;
    await start({ lie: (words) => (words[0] === 'HSET' && ++count % 2 === 0 ? { cut: 'unanswered' } : undefined) });
    await writeAll();
    expect(server.content()).toEqual(EXPECTED);
    expectOrder();
  });
});

describe('a transient error', () => {
  const errors = [
    "-OOM command not allowed when used memory > 'maxmemory'.",
    "-READONLY You can't write against a read only replica.",
    '-LOADING Redis is loading the dataset in memory',
    '-BUSY Redis is busy running a script.',
    '-CLUSTERDOWN The cluster is down',
    '-TRYAGAIN Multiple keys request during rehashing of slot',
    '-MASTERDOWN Link with MASTER is down',
    '-NOREPLICAS Not enough good replicas to write.',
    '-MISCONF Redis is configured to save RDB snapshots',
    '-NEWCODE nobody has heard of it',
    '-ERR max number of clients reached',
  ];
  for (const error of errors) {
    it(`is repeated until it is gone, and no later write of the key overtakes it: ${error.slice(1, 12)}`, async () => {
      let left = 7;
      let seen = 0;
      await start({
        lie: (words) => (words[0] === 'HSET' && ++seen > 2 && left-- > 0 ? { reply: `${error}\r\n` } : undefined),
      });
      const outcomes = await writeAll();
      expect(outcomes.flatMap((outcome) => outcome.refused)).toEqual([]);
      expect(server.content()).toEqual(EXPECTED);
      expectOrder();
      expect(states).toContainEqual(expect.objectContaining({ state: 'waiting', code: 'TARGET_UNAVAILABLE' }));
      await until('ready again', () => writer.state.state === 'ready');
    });
  }

  it('on one key does not make the others repeat', async () => {
    let left = 3;
    await start({ lie: (words) => (words[1] === 'c' && left-- > 0 ? { reply: '-OOM no\r\n' } : undefined) });
    await (await writer.write(BATCHES[0]!)).done;
    expect(server.executed.map((words) => words[1])).toEqual(['a', 'b', 'd', 'e', 'c']);
  });

  it('on the first of two commands repeats both', async () => {
    let left = 1;
    await start({ lie: (words) => (words[0] === 'HSET' && left-- > 0 ? { reply: '-OOM no\r\n' } : undefined) });
    await (await writer.write([del('k', 0), hash('k', { a: 1 }, 1)])).done;
    expect(server.content()).toEqual({ k: { a: '1' } });
    expect(server.executed.map((words) => words[0])).toEqual(['DEL', 'DEL', 'HSET']);
  });

  it('of a demoted master leads to a new connection', async () => {
    await start({
      lie: (words, connection) =>
        words[0] === 'HSET' && connection === 1 ? { reply: '-READONLY replica\r\n' } : undefined,
    });
    await writeAll();
    expect(server.connections).toBe(2);
    expect(server.content()).toEqual(EXPECTED);
  });
});

describe('a refused login', () => {
  it('pauses with the state refused and goes on when the password is right', async () => {
    let right = false;
    await start(
      {
        lie: (words) =>
          words[0] === 'AUTH' && !right ? { reply: '-WRONGPASS invalid username-password pair\r\n' } : undefined,
      },
      {},
      { user: 'joe', password: 'secret' },
    );
    expect(writer.state).toMatchObject({ state: 'refused', code: 'TARGET_AUTH' });
    expect(JSON.stringify(states)).not.toContain('secret');
    const { done } = await writer.write(BATCHES[0]!);
    right = true;
    expect(await done).toEqual({ superseded: [], refused: [] });
    expect(writer.state).toEqual({ state: 'ready' });
  });

  it('in the middle logs in again on a new connection', async () => {
    await start({
      lie: (words, connection) =>
        words[0] === 'HSET' && connection === 1 ? { reply: '-NOAUTH Authentication required.\r\n' } : undefined,
    });
    await writeAll();
    expect(states).toContainEqual(expect.objectContaining({ state: 'refused', code: 'TARGET_AUTH' }));
    expect(server.content()).toEqual(EXPECTED);
  });

  it('for one command is never a refused record', async () => {
    let left = 3;
    await start({
      lie: (words) =>
        words[0] === 'HSET' && left-- > 0
          ? { reply: "-NOPERM this user has no permissions to run 'hset'\r\n" }
          : undefined,
    });
    expect((await writeAll()).flatMap((outcome) => outcome.refused)).toEqual([]);
  });

  it('is what an unknown command counts as', async () => {
    let left = 3;
    await start({
      lie: (words) =>
        words[0] === 'HSET' && left-- > 0
          ? { reply: "-ERR unknown command 'HSET', with args beginning with: 'k' 'private'\r\n" }
          : undefined,
    });
    expect((await writeAll()).flatMap((outcome) => outcome.refused)).toEqual([]);
    expect(states).toContainEqual(expect.objectContaining({ state: 'refused' }));
    expect(JSON.stringify(states)).not.toContain('private');
  });
});

describe('odd but honest servers', () => {
  it('that answer byte by byte are understood', async () => {
    await start({ byteByByte: true });
    await writeAll();
    expect(server.content()).toEqual(EXPECTED);
    expect(server.connections).toBe(1);
  });

  it('that load their data are waited for', async () => {
    let left = 2;
    await start({
      lie: (words) => (words[0] === 'INFO' && left-- > 0 ? { reply: '$10\r\nloading:1\n\r\n' } : undefined),
    });
    expect(writer.state).toMatchObject({ state: 'waiting', message: expect.stringContaining('LOADING') });
    await writeAll();
    expect(server.content()).toEqual(EXPECTED);
  });

  it('that say nothing about themselves are written to', async () => {
    await start({
      lie: (words) =>
        words[0] === 'INFO' || words[0] === 'CLIENT' || words[0] === 'COMMAND'
          ? { reply: '-NOPERM no\r\n' }
          : undefined,
    });
    await writeAll();
    expect(server.content()).toEqual(EXPECTED);
  });

  it('that take longer than the limit for everything, but keep talking, are not cut', async () => {
    await start({ delayMs: 70 }, { socketTimeoutMs: 700, connectTimeoutMs: 10_000 });
    await writeAll();
    expect(server.connections).toBe(1);
  });

  it('that are silent for longer than the limit get more patience each time, and are served in the end', async () => {
    await start({ delayMs: 150 }, { socketTimeoutMs: 60, connectTimeoutMs: 10_000 });
    await (await writer.write([hash('a', { round: 1 })])).done;
    expect(server.content()).toEqual({ a: { round: '1' } });
    expect(server.connections, 'never served with the same patience each time').toBeLessThanOrEqual(6);
  });
});

describe('the replica check', () => {
  const wait = { enabled: true, timeoutMs: 20, retry: true, retryDelayMs: 10 };

  it('repeats a pipeline until a replica confirms it', async () => {
    let left = 3;
    await start({ lie: (words) => (words[0] === 'WAIT' && left-- <= 0 ? { reply: ':1\r\n' } : undefined) }, { wait });
    await (await writer.write(BATCHES[0]!)).done;
    expect(server.executed).toHaveLength(20);
    expect(states).toContainEqual(expect.objectContaining({ message: expect.stringContaining('No replica') }));
  });

  it('warns and goes on when the configuration says so', async () => {
    const warnings: string[] = [];
    await start({}, { wait: { ...wait, retry: false }, onWarning: (message) => warnings.push(message) });
    await (await writer.write(BATCHES[0]!)).done;
    expect(warnings[0]).toContain('No replica');
    expect(server.executed).toHaveLength(5);
  });
});

describe('a RedisJSON', () => {
  const talks = { reply: '-NOPERM no\r\n' };
  const unknown = (name: string) => ({ reply: `-ERR unknown command '${name}', with args beginning with: 'k'\r\n` });

  it('that turns out to lack JSON.MERGE gets the script instead', async () => {
    await start({
      lie: (words) => (words[0] === 'COMMAND' ? talks : words[0] === 'JSON.MERGE' ? unknown('JSON.MERGE') : undefined),
    });
    const outcome = await (await writer.write([json('k', { a: 1 }, 'merge')])).done;
    expect(outcome.refused).toEqual([]);
    expect(server.asked.at(-1)).toMatchObject({ 0: 'EVAL', 4: 'rfc', 6: '{"a":1}' });
  });

  it('that turns out to be missing is waited for, and hashes go on once it is there', async () => {
    let isThere = false;
    await start({
      lie: (words) =>
        words[0] === 'COMMAND' ? talks : words[0] === 'JSON.SET' && !isThere ? unknown('JSON.SET') : undefined,
    });
    const { done } = await writer.write([json('k', { a: 1 }, 'replace', 0), hash('h', { a: 1 }, 1)]);
    await until('no RedisJSON', () => 'code' in writer.state && writer.state.code === 'TARGET_NO_JSON');
    isThere = true;
    expect((await done).refused).toEqual([]);
    expect(server.content()).toEqual({ h: { a: '1' } });
    expect(writer.state).toEqual({ state: 'ready' });
  });
});
