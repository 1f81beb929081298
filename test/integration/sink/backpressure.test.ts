import { afterEach, describe, expect, test } from 'vitest';
import type { StoredStream } from '../../../src/streams/index.ts';
import { bulkStrings, commandBytes } from '../../helpers/bulk-strings.ts';
import { type EndpointWorld, startEndpoint, storedTexts } from '../../helpers/endpoint.ts';
import { FaultyDisk } from '../../helpers/faulty-disk.ts';
import { seededRandom } from '../../helpers/random.ts';
import type { RawClient } from '../../helpers/raw-client.ts';
import { until } from '../../helpers/redis-server.ts';

const OOM = "-OOM command not allowed when used memory > 'maxmemory'.\r\n";
const ID = /^\$\d+\r\n\d+-\d+\r\n$/;
const LIMIT = 4 << 20;

let world: EndpointWorld | undefined;
afterEach(async () => {
  await world?.close();
  world = undefined;
});

async function start(disk?: FaultyDisk, limit = LIMIT): Promise<EndpointWorld> {
  world = await startEndpoint({ store: { diskLimitBytes: limit, segmentBytes: 64 << 10, ...(disk ? { disk } : {}) } });
  return world;
}

const xadd = (text: string) => commandBytes('XADD', 'data:orders', '*', 'key', text);

/** Fills the store up to a share of its limit, past the endpoint. */
async function fill({ store }: EndpointWorld, share: number): Promise<void> {
  const bytes = bulkStrings('key', 'x'.repeat(20_000));
  while (store.bytes < share * LIMIT) store.append(store.stream(0, 'data:old'), 0, false, bytes, 0, bytes.length, 2);
  await store.flush();
}

/** Settles everything that is stored. */
async function drain({ store }: EndpointWorld): Promise<void> {
  const counters = new Map(
    store.streams().map((stream): [StoredStream, ReturnType<typeof written>] => [stream, written(stream.appended)]),
  );
  await store.settle({ position: store.durable, behind: new Map(), counters });
}

function written(count: number) {
  return { written: count, filtered: 0, superseded: 0, rejected: 0, skipped: 0, inserted: 0, updated: 0, deleted: 0 };
}

async function memoryOf(client: RawClient): Promise<{ used: number; max: number }> {
  const text = await client.ask('INFO', 'memory');
  const lines = text.split(/\r?\n/).map((one) => one.split(':'));
  const value = (name: string) => lines.find((parts) => parts.length === 2 && parts[0] === name)?.[1];
  expect(value('used_memory')).toMatch(/^\d+$/);
  expect(value('maxmemory')).toMatch(/^\d+$/);
  return { used: Number(value('used_memory')), max: Number(value('maxmemory')) };
}

/** The check of Debezium 2.1 – 2.5: share of the limit in percent (spec/debezium-sink-protocol.md §6). */
function oldClientBlocks({ used, max }: { used: number; max: number }, limitMb: number): boolean {
  const limit = max > 0 ? max : limitMb * (1 << 20);
  return limit > 0 && (used * 100) / limit >= 85;
}

/** The check of Debezium 2.6 and later, which guesses what it sent since `used_memory` changed last. */
class NewClient {
  #accumulated = 0;
  #lastUsed = -1;
  readonly #limitMb: number;
  readonly #recordBytes: number;
  readonly #batch: number;
  constructor(limitMb: number, recordBytes: number, batch: number) {
    this.#limitMb = limitMb;
    this.#recordBytes = recordBytes;
    this.#batch = batch;
  }

  blocks({ used, max }: { used: number; max: number }): boolean {
    const given = this.#limitMb * (1 << 20);
    const limit = max > given && given > 0 ? given : max;
    if (used !== this.#lastUsed) this.#accumulated = 0;
    this.#lastUsed = used;
    if (limit === 0) return false;
    const isBlocked = used + this.#accumulated + this.#recordBytes * 30_000 >= limit;
    if (!isBlocked) this.#accumulated += this.#recordBytes * this.#batch;
    return isBlocked;
  }
}

describe('INFO memory', () => {
  const newClients = () => [
    ...[1000, 36_000, 5_000_000].flatMap((record) => [0, 80, 300, 4000].map((mb) => new NewClient(mb, record, 500))),
    new NewClient(80, 3000, 2048),
  ];

  test('below the mark blocks no version of Debezium, however often and with whatever limit it asks', async () => {
    const here = await start();
    const client = await here.client();
    const clients = newClients();
    for (const share of [0, 0.2, 0.7]) {
      await fill(here, share);
      for (let i = 0; i < 20; i++) {
        const memory = await memoryOf(client);
        for (const mb of [0, 2, 80, 300]) expect(oldClientBlocks(memory, mb), `${mb} MB`).toBe(false);
        for (const one of clients) expect(one.blocks(memory)).toBe(false);
      }
    }
  });

  test('above the mark blocks every version, and lets all go on when the backlog has shrunk', async () => {
    const here = await start();
    const client = await here.client();
    await fill(here, 0.85);
    expect(here.store.pressure).toBe('full');
    const memory = await memoryOf(client);
    for (const mb of [0, 2, 80, 300, 100_000]) {
      expect(oldClientBlocks(memory, mb)).toBe(true);
      expect(new NewClient(mb, 1, 500).blocks(memory)).toBe(true);
    }
    expect(await client.ask('XADD', 'data:orders', '*', 'key', 'one more batch fits')).toMatch(ID);
    await drain(here);
    const after = await memoryOf(client);
    expect(after.max).toBe(0);
    for (const one of newClients()) expect(one.blocks(after)).toBe(false);
  });

  test('stays full until the backlog is well below the mark', async () => {
    const here = await start();
    const client = await here.client();
    await fill(here, 0.82);
    expect((await memoryOf(client)).max).toBeGreaterThan(0);
    const reader = here.store.reader(0, () => true, true);
    const share = () => (here.store.appended - reader.position) / LIMIT;
    const states: [number, boolean][] = [];
    while (share() > 0.3) {
      await reader.next({ entries: 5, bytes: 1 << 20 });
      const settled = here.store.stream(0, 'data:old').appended;
      const counters = new Map([[here.store.stream(0, 'data:old'), written(settled)]]);
      await here.store.settle({ position: reader.position, behind: new Map(), counters });
      states.push([share(), (await memoryOf(client)).max > 0]);
    }
    const resumedAt = states.find(([, isFull]) => !isFull)?.[0] ?? 0;
    expect(resumedAt).toBeGreaterThan(0.55);
    expect(resumedAt).toBeLessThan(0.66);
  });
});

describe('a store that is nearly full', () => {
  test('answers an XADD at a time, at least every second, and INFO and PING of others at once', async () => {
    const here = await start();
    await fill(here, 0.93);
    expect(here.store.pressure).toBe('paced');
    const [feeder, other] = [await here.client(), await here.client()];
    feeder.send(Buffer.concat([xadd('a'), xadd('b'), xadd('c')]));
    const gaps: number[] = [];
    for (let i = 0, last = performance.now(); i < 3; i++) {
      expect(await feeder.reply()).toMatch(ID);
      gaps.push(performance.now() - last);
      last = performance.now();
      const askedAt = performance.now();
      await memoryOf(other);
      expect(performance.now() - askedAt, 'far less than a turn of the pacing').toBeLessThan(800);
    }
    expect(Math.max(...gaps), 'where a feeder would give up').toBeLessThan(2000);
    expect(gaps[1]).toBeGreaterThan(200);
    feeder.send(Buffer.concat([xadd('d'), xadd('e'), xadd('f'), xadd('g')]));
    await feeder.reply();
    await drain(here);
    const startedAt = performance.now();
    await feeder.replies(3);
    expect(performance.now() - startedAt, 'once there is room, all is answered').toBeLessThan(2000);
  });
});

describe('a store that is full', () => {
  test('in the middle of a pipeline keeps a prefix and refuses the rest, also when there is room again meanwhile', async () => {
    const here = await start();
    await fill(here, 0.5);
    const feeder = await here.client();
    await feeder.ask('PING');
    const entry = 'x'.repeat(20_000);
    feeder.send(Buffer.concat(Array.from({ length: 200 }, (_, i) => xadd(`${i} ${entry}`))));
    const replies: string[] = [];
    for (let i = 0; i < 200; i++) {
      const reply = await feeder.reply();
      replies.push(reply);
      // Paced replies would take minutes; draining also makes room in the middle of the pipeline.
      if (reply === OOM || here.store.pressure !== 'none') await drain(here);
    }
    const accepted = replies.indexOf(OOM);
    expect(accepted).toBeGreaterThan(0);
    expect(replies.slice(0, accepted).every((reply) => ID.test(reply))).toBe(true);
    expect(replies.slice(accepted).every((reply) => reply === OOM)).toBe(true);
    expect(here.store.stream(0, 'data:orders').appended).toBe(accepted);
    expect(await feeder.ask('WAIT', '1', '1000')).toBe(':1\r\n');
    feeder.send(xadd('again'));
    expect(await feeder.reply(), 'another command ends the refusal').toMatch(ID);
  });

  test('refuses for as long as it is full, and takes the feeder’s own state all the same', async () => {
    const here = await start();
    await fill(here, 1.05);
    const client = await here.client();
    for (let i = 0; i < 3; i++) {
      await client.ask('PING');
      client.send(xadd('x'));
      expect(await client.reply()).toBe(OOM);
    }
    expect(await client.ask('HSET', 'metadata:debezium:offsets', 'f', 'v')).toBe(':1\r\n');
    expect(await client.ask('XADD', 'metadata:debezium:schema_history', '*', 'schema', 'x')).toMatch(ID);
    await drain(here);
    await client.ask('PING');
    client.send(xadd('x'));
    expect(await client.reply()).toMatch(ID);
  });
});

describe('a disk that fails', () => {
  test('turns the answers that wait into OOM, keeps what was acknowledged, and serves again by itself', async () => {
    const disk = new FaultyDisk(seededRandom(4));
    const here = await start(disk);
    const [one, other] = [await here.client(), await here.client()];
    for (const client of [one, other]) {
      client.send(xadd('kept'));
      expect(await client.reply()).toMatch(ID);
    }
    disk.refuses = (operation) => operation === 'sync';
    one.send(Buffer.concat([xadd('1'), xadd('2'), xadd('3')]));
    expect(await one.replies(3)).toEqual([OOM, OOM, OOM]);
    other.send(xadd('4'));
    expect(await other.reply()).toBe(OOM);
    expect((await memoryOf(other)).max).toBeGreaterThan(0);
    disk.refuses = () => false;
    await until('the disk is tried again', () => here.store.pressure === 'none');
    one.send(xadd('sticky'));
    await one.reply();
    await one.ask('PING');
    one.send(xadd('taken'));
    expect(await one.reply()).toMatch(ID);
    const texts = (await storedTexts(here.store)).map(({ fields }) => fields.split('\r\n')[3]);
    expect(texts.filter((text) => text !== 'sticky')).toEqual(['kept', 'kept', 'taken']);
  });
});

describe('what an answer promises', () => {
  test('an offset is answered only when every earlier append of every connection is durable', async () => {
    const disk = new FaultyDisk(seededRandom(5));
    const here = await start(disk);
    const [sink, offsets, reader] = [await here.client(), await here.client(), await here.client()];
    let release = () => {};
    disk.holdSync = new Promise((resolve) => {
      release = resolve;
    });
    sink.send(xadd('a'));
    await until('the entry is appended', () => here.store.appended > here.store.durable);
    offsets.send(commandBytes('HSET', 'metadata:debezium:offsets', 'f', 'v'));
    offsets.send(commandBytes('WAIT', '1', '1000'));
    expect(await reader.ask('INFO', 'memory')).toContain('used_memory');
    expect(await reader.ask('PING')).toBe('+PONG\r\n');
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(offsets.unread + sink.unread).toBe('');
    release();
    expect(await sink.reply()).toMatch(ID);
    expect(await offsets.replies(2)).toEqual([':1\r\n', ':1\r\n']);
  });

  test('WAIT answers the number that was asked for, behind the entries before it', async () => {
    const here = await start();
    const client = await here.client();
    client.send(Buffer.concat([xadd('a'), commandBytes('WAIT', '1', '1000'), commandBytes('WAIT', '0', '0')]));
    const [id, one, none] = await client.replies(3);
    expect(id).toMatch(ID);
    expect([one, none]).toEqual([':1\r\n', ':0\r\n']);
    expect(await client.ask('WAIT', '2', '0')).toBe(':2\r\n');
  });

  test('an XADD whose sync hangs for 1.5 s is answered on the same connection', async () => {
    const disk = new FaultyDisk(seededRandom(6));
    const here = await start(disk);
    const client = await here.client();
    disk.holdSync = new Promise((resolve) => setTimeout(resolve, 1500));
    client.send(xadd('a'));
    expect(await client.reply()).toMatch(ID);
  });
});
