import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, it } from 'vitest';
import { bulkStrings } from '../helpers/bulk-strings.ts';
import { RawClient } from '../helpers/raw-client.ts';
import { seededRandom } from './random.ts';
import { unbalanced } from './rdi.ts';
import { createWorld, type World } from './world.ts';

const KILLS = 10;
const ALL_ROWS = Array.from({ length: 60 }, (_, i) => i);

let world: World;

afterEach(() => world.close());

/** Sends one change for each of some rows and waits until they are durable. */
async function send(port: number, rows: readonly number[], version: number): Promise<void> {
  const client = await RawClient.connect(port);
  const commands = rows.map((id) => {
    const source = { connector: 'postgresql', name: 'shop', db: 'd', schema: 's', table: 'orders', lsn: version };
    const value = JSON.stringify({ before: null, after: { id, v: version }, source, op: 'u' });
    const words = ['XADD', 'data:shop.s.orders', '*', 'key', JSON.stringify({ id }), 'value', value];
    return Buffer.concat([Buffer.from(`*${words.length}\r\n`), bulkStrings(...words)]);
  });
  client.send(Buffer.concat(commands));
  await client.replies(commands.length);
  client.close();
}

it.each(['continue', 'park_key'])(
  `${KILLS} kills during retries, with newer changes of the same rows, leave every row as it is in the source (%s)`,
  async (onReject) => {
    const random = seededRandom(`dlq retry ${onReject}`);
    world = await createWorld({ random, rdi: { processors: [`on_reject: ${onReject}`, 'dlq_max_messages: 10000'] } });
    const { rdi, target } = world;
    const newest = new Map<number, number>();
    const change = async (rows: readonly number[], version: number) => {
      await send(rdi.port, rows, version);
      for (const row of rows) newest.set(row, version);
    };
    const some = () => ALL_ROWS.filter(() => random.isLucky(0.5));
    const retry = () =>
      fetch(`${rdi.http}/api/v2/pipelines/default/dlqs/retry`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: '{}',
      });
    let version = 0;
    for (let kill = 0; kill < KILLS; kill++) {
      await rdi.start();
      // What is no hash refuses the row; then it is mended.
      const spoiled = some();
      for (const row of spoiled) await target.set(`orders:id:${row}`, 'no hash');
      // Every row is sent again: what was spoiled is gone from the target.
      await change(ALL_ROWS, ++version);
      for (let i = 0; i < 2; i++) await change(some(), ++version);
      await rdi.drained();
      for (const row of spoiled)
        if ((await target.type(`orders:id:${row}`)) === 'string') await target.del(`orders:id:${row}`);
      const retried = retry().catch(() => null);
      const changed = change(some(), ++version);
      await sleep(random.between(0, 120));
      await changed;
      await rdi.kill();
      await retried;
    }
    await rdi.start();
    await rdi.drained();
    const response = await retry();
    expect(response.status).toBe(200);
    await rdi.until('the DLQ to be empty', ({ dlqs }) => dlqs.length === 0);
    const status = await rdi.drained();
    expect(unbalanced(status)).toEqual([]);
    expect(status.totals.rejected).toBe(0);
    const rows = await Promise.all([...newest.keys()].map((row) => target.hget(`orders:id:${row}`, 'v')));
    expect(rows).toEqual([...newest.values()].map(String));
  },
  120_000,
);
