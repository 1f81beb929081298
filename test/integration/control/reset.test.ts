import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { commandBytes } from '../../helpers/bulk-strings.ts';
import { change, DeployWorld } from '../../helpers/deploy-world.ts';
import { RawClient } from '../../helpers/raw-client.ts';
import { runCommand } from '../../helpers/rdi-command.ts';

const OFFSETS = 'metadata:debezium:offsets';

let world: DeployWorld;
beforeEach(async () => {
  world = await DeployWorld.start();
});
afterEach(() => world.close());

test('a reset forgets entries, offsets and counts, keeps the configuration, and waits for a feeder that starts anew', async () => {
  await world.run(world.document());
  const old = await world.feeder();
  expect(await old.ask('HSET', OFFSETS, 'server', 'lsn-17')).toBe(':1\r\n');
  await world.send(Array.from({ length: 50 }, (_, id) => change('orders', id, 'x')));
  await world.settled();
  await world.engine.pipeline.reset({ flushTarget: false });
  expect(world.engine.snapshot()).toMatchObject({
    streams: [],
    pipeline: { awaitsFeederRestart: true, state: 'started' },
  });
  expect(await world.client.dbsize()).toBe(50);

  // A feeder that was running all the time: its entries and its offset must not get in.
  const stale = await world.feeder();
  stale.send(change('orders', 99, 'late'));
  expect(await stale.reply()).toContain('-OOM command not allowed');
  expect(await stale.ask('HSET', OFFSETS, 'server', 'lsn-18')).toMatch(/^-LOADING/);
  expect(await stale.ask('INFO', 'memory')).toMatch(/maxmemory:1099511627776/);
  stale.close();

  const fresh = await world.feeder();
  await fresh.ask('CLIENT', 'SETNAME', 'debezium:offsets');
  expect(await fresh.ask('HGETALL', OFFSETS)).toBe('*0\r\n');
  fresh.send(change('orders', 1, 'again', 'r'));
  expect(await fresh.reply()).toMatch(/^\$/);
  fresh.close();
  await world.settled();
  expect(world.account('orders')).toMatchObject({ received: 1, written: 1 });
  expect(await world.client.hget('orders:id:1', 'ref')).toBe('again');
  expect(world.engine.snapshot().pipeline).toMatchObject({ revision: 1, awaitsFeederRestart: false });
});

test('somebody who looks at the offsets is no feeder that starts anew', async () => {
  await world.run(world.document());
  await world.engine.pipeline.reset({ flushTarget: false });
  const person = await world.feeder();
  expect(await person.ask('HGETALL', OFFSETS)).toBe('*0\r\n');
  await person.ask('CLIENT', 'SETNAME', 'redisinsight');
  expect(await person.ask('HGETALL', 'orders')).toBe('*0\r\n');
  expect(world.engine.snapshot().pipeline.awaitsFeederRestart).toBe(true);
  person.send(change('orders', 99, 'late'));
  expect(await person.reply()).toContain('-OOM');
});

test('of several feeders each one waits until it starts anew itself', async () => {
  await world.run(world.document());
  const connect = async (host: string, name: string) => {
    const client = await RawClient.connect(world.port, undefined, host);
    await client.ask('CLIENT', 'SETNAME', name);
    return client;
  };
  const sinks = await Promise.all(['127.0.0.2', '127.0.0.3'].map((host) => connect(host, 'debezium:redis:sink')));
  for (const sink of sinks) sink.send(change('orders', 1, 'x'));
  for (const sink of sinks) expect(await sink.reply()).toMatch(/^\$/);
  await world.engine.pipeline.reset({ flushTarget: false });

  const offsets = await connect('127.0.0.2', 'debezium:offsets');
  expect(await offsets.ask('HGETALL', OFFSETS)).toBe('*0\r\n');
  const [first, second] = await Promise.all(
    ['127.0.0.2', '127.0.0.3'].map((host) => connect(host, 'debezium:redis:sink')),
  );
  first?.send(change('orders', 1, 'again', 'r'));
  expect(await first?.reply()).toMatch(/^\$/);
  second?.send(change('notes', 99, 'late'));
  expect(await second?.reply()).toContain('-OOM command not allowed');
  expect(await second?.ask('HSET', OFFSETS, 'server', 'lsn-18')).toMatch(/^-LOADING/);
  expect(await second?.ask('INFO', 'memory')).toMatch(/maxmemory:1099511627776/);
  expect(await first?.ask('INFO', 'memory')).toMatch(/maxmemory:0/);
  expect(world.engine.snapshot().pipeline.awaitsFeederRestart).toBe(true);

  const late = await connect('127.0.0.3', 'debezium:offsets');
  await late.ask('HGETALL', OFFSETS);
  second?.send(change('notes', 1, 'again', 'r'));
  expect(await second?.reply()).toMatch(/^\$/);
  expect(world.engine.snapshot().pipeline.awaitsFeederRestart).toBe(false);
  await world.settled();
  expect(await world.client.keys('*')).toEqual(expect.arrayContaining(['orders:id:1', 'notes:id:1']));
  expect(await world.client.exists('notes:id:99')).toBe(0);
});

test('a reset that flushes empties the target first, also of keys that nobody would write again', async () => {
  await world.run(world.document());
  await world.send([change('orders', 1, 'x')]);
  await world.settled();
  await world.engine.pipeline.reset({ flushTarget: true });
  expect(await world.client.dbsize()).toBe(0);
});

test('a target that cannot be emptied leaves everything as it was', async () => {
  await world.run(world.document());
  await world.send([change('orders', 1, 'x')]);
  await world.settled();
  await world.client.call('ACL', 'SETUSER', 'default', '-flushdb');
  await expect(world.engine.pipeline.reset({ flushTarget: true })).rejects.toThrow(/flushdb/i);
  await world.send([change('orders', 2, 'x')]);
  await world.settled();
  expect(world.account('orders').received).toBe(2);
  expect(await world.client.dbsize()).toBe(2);
});

test('a process that dies in the middle of a reset finishes it at the next start', async () => {
  await world.run(world.document());
  await world.send([change('orders', 1, 'x')]);
  await world.settled();
  await world.stopEngine();
  const { StateStore } = await import('../../../src/streams/state-store.ts');
  const { ConfigurationStore } = await import('../../../src/streams/configuration-store.ts');
  const state = new StateStore(world.dataDir);
  await new ConfigurationStore(state).change({ feeder: 'resetting' });
  state.close();
  await world.run({ kind: 'deployed' });
  expect(world.engine.snapshot()).toMatchObject({ streams: [], pipeline: { revision: 1, awaitsFeederRestart: true } });
  // Until a feeder started, another restart changes nothing.
  await world.stopEngine();
  await world.run({ kind: 'deployed' });
  expect(world.engine.snapshot().pipeline.awaitsFeederRestart).toBe(true);
});

test('a stopped pipeline stays stopped after a reset', async () => {
  await world.run(world.document());
  await world.engine.pipeline.stop();
  await world.engine.pipeline.reset({ flushTarget: false });
  expect(world.engine.pipeline.state).toBe('stopped');
});

test('the keys of one table are removed, those of its neighbours stay', async () => {
  await world.run(world.document());
  await world.send([change('orders', 1, 'x'), change('orders', 2, 'x'), change('orders2', 1, 'x')]);
  await world.settled();
  const reset = await world.engine.pipeline.resetTable('data:shop.orders', { flushTarget: true });
  expect(reset).toMatchObject({ stream: 'data:shop.orders', removedKeys: 2 });
  expect(reset?.next).toContain('execute-snapshot');
  expect(await world.client.keys('*')).toEqual(['orders2:id:1']);
  expect(await world.engine.pipeline.resetTable('data:shop.nothing', { flushTarget: true })).toBeNull();
});

test('keys that cannot be told from those of another job are not removed', async () => {
  const output = (key: string) =>
    `output:\n  - uses: redis.write\n    with: {connection: target, data_type: hash, key: {expression: "${key}", language: jmespath}}\n`;
  const jobs = {
    'orders.yaml': `source: {table: orders}\n${output("concat(['o:', id])")}`,
    'notes.yaml': `source: {table: notes}\n${output("concat(['o:notes:', id])")}`,
    'free.yaml': `source: {table: free}\n${output('ref')}`,
  };
  await world.run(world.document('', jobs));
  await world.send([change('orders', 1, 'x'), change('notes', 1, 'x'), change('free', 1, 'y')]);
  await world.settled();
  for (const table of ['orders', 'notes', 'free']) {
    await expect(world.engine.pipeline.resetTable(`data:shop.${table}`, { flushTarget: true })).rejects.toThrow(
      /cannot be told/,
    );
  }
  expect(await world.client.dbsize()).toBe(3);
});

test('what feeders keep of themselves can be looked at, and is gone after a reset', async () => {
  await world.run(world.document());
  const feeder = await world.feeder();
  await feeder.ask('HSET', OFFSETS, '["kafka",{"server":"shop"}]', '{"lsn":17}');
  await feeder.ask('SELECT', '3');
  await feeder.ask('HSET', OFFSETS, 'x', 'text');
  feeder.close();
  expect(world.engine.offsets()).toEqual({
    [OFFSETS]: { '["kafka",{"server":"shop"}]': { lsn: 17 } },
    [`${OFFSETS}@3`]: { x: 'text' },
  });
  await world.engine.pipeline.reset({ flushTarget: false });
  expect(world.engine.offsets()).toEqual({});
});

test('a replay after a reset counts as a feeder that starts anew', async () => {
  await world.run(world.document());
  await world.send([change('orders', 1, 'x')]);
  await world.engine.pipeline.reset({ flushTarget: true });
  const recording = join(world.folder, 'rows.resp');
  const setName = commandBytes('CLIENT', 'SETNAME', 'debezium:redis:sink');
  writeFileSync(recording, Buffer.concat([setName, commandBytes('INFO', 'memory'), change('orders', 7, 'again', 'r')]));
  const replayed = await runCommand(['replay', recording, '--to', `127.0.0.1:${world.port}`]);
  expect(replayed).toMatchObject({ code: 0 });
  await world.settled();
  expect(await world.client.keys('*')).toEqual(['orders:id:7']);
}, 30_000);
