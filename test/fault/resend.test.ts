import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Random, seededRandom } from './random.ts';
import { RespClient } from './resp-client.ts';
import { type Change, Workload } from './workload.ts';
import { createWorld, type World } from './world.ts';

let world: World;
let random: Random;
let workload: Workload;

beforeEach(async () => {
  random = seededRandom('resend');
  world = await createWorld({ random });
  workload = new Workload(random, { deletes: false, tables: ['orders'] });
  await world.rdi.start();
});

afterEach(() => world.close());

/** A connection as Debezium's sink opens it, up to the command before a sub-batch. */
async function connected(): Promise<RespClient> {
  const client = await RespClient.open(world.rdi.port, 10_000);
  await client.ask('PING');
  await client.ask('CLIENT', 'SETNAME', 'debezium:redis:sink');
  await client.ask('INFO', 'memory');
  await client.ask('PING');
  return client;
}

function bytesOf(changes: readonly Change[]): Buffer {
  return Buffer.concat(changes.map(({ command }) => command));
}

async function send(client: RespClient, changes: readonly Change[]): Promise<string[]> {
  const ids = await client.send(bytesOf(changes), changes.length);
  for (const id of ids) expect(id).toMatch(/^\d+-\d+$/);
  return ids as string[];
}

/** Totals once everything is settled, and how many row writes the target executed. */
async function account() {
  const { totals } = await world.rdi.drained();
  const { received, deduplicated, written, superseded, skipped } = totals;
  const calls = /cmdstat_hset:calls=(\d+)/.exec(await world.target.info('commandstats'))?.[1];
  return { received, deduplicated, applied: written + superseded + skipped, writes: Number(calls ?? 0), written };
}

describe('a sub-batch that is sent again after a cut', () => {
  it('gets its old ids, is counted as deduplicated and not written a second time', async () => {
    const changes = workload.take(200);
    const first = await connected();
    const ids = await send(first, changes);
    const before = await account();
    first.close();
    expect(await send(await connected(), changes)).toEqual(ids);
    const after = await account();
    expect(after).toEqual({ ...before, received: 400, deduplicated: 200 });
    expect(before).toMatchObject({ received: 200, deduplicated: 0, applied: 200, writes: before.written });
  });

  it('is recognised as far as it had come in, wherever the cut was', async () => {
    let sent = 0;
    for (let round = 0; round < 12; round++) {
      const changes = workload.take(60);
      const bytes = bytesOf(changes);
      const client = await connected();
      const { totals } = await world.rdi.status();
      // No reply is waited for: the cut comes behind a random byte.
      client.send(bytes.subarray(0, random.below(bytes.length)), changes.length).catch(() => {});
      await new Promise((resolve) => setTimeout(resolve, 60));
      client.close();
      const arrived = (await world.rdi.status()).totals.received - totals.received;
      expect(await send(await connected(), changes)).toHaveLength(60);
      sent += 60;
      const after = (await world.rdi.drained()).totals;
      expect(after.deduplicated - totals.deduplicated).toBe(arrived);
      expect(after.received - after.deduplicated).toBe(sent);
    }
  });

  it('is recognised by the next process after a kill, and again after another one', async () => {
    const changes = workload.take(100);
    const ids = await send(await connected(), changes);
    for (let kill = 0; kill < 2; kill++) {
      await world.rdi.kill();
      await world.rdi.start();
      expect(await send(await connected(), changes)).toEqual(ids);
    }
    const { received, deduplicated } = await account();
    expect(received - deduplicated).toBe(100);
    expect(deduplicated).toBeGreaterThanOrEqual(100);
  });

  it('is still counted after a stop and a start', async () => {
    const changes = workload.take(50);
    const first = await connected();
    await send(first, changes);
    await account();
    first.close();
    await send(await connected(), changes);
    const before = await account();
    expect((await world.rdi.stop()).code).toBe(0);
    await world.rdi.start();
    const { received, deduplicated } = await account();
    expect({ received, deduplicated }).toEqual({ received: before.received, deduplicated: before.deduplicated });
  });

  it('is taken as new when it differs anywhere, as after a restart of Debezium', async () => {
    const changes = workload.take(40);
    const first = await connected();
    await send(first, changes);
    first.close();
    const others = [...changes.slice(0, 39), ...workload.take(1)];
    await send(await connected(), others);
    expect(await account()).toMatchObject({ received: 80, deduplicated: 0, applied: 80 });
  });

  it('is taken as new when the feeder had gone on to its next command', async () => {
    const changes = workload.take(40);
    const first = await connected();
    await send(first, changes);
    await first.ask('PING');
    first.close();
    await send(await connected(), changes);
    expect(await account()).toMatchObject({ received: 80, deduplicated: 0, applied: 80 });
  });
});
