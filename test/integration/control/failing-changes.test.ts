/** Changes of the running pipeline that fail on the way, at the store or at the port. */
import fs from 'node:fs';
import { createServer } from 'node:net';
import { basename } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { StoreError } from '../../../src/errors.ts';
import { ConfigurationStore } from '../../../src/streams/configuration-store.ts';
import { SqliteDlq } from '../../../src/streams/dlq-store.ts';
import { EmbeddedStore } from '../../../src/streams/index.ts';
import { StateStore } from '../../../src/streams/state-store.ts';
import { change, DeployWorld } from '../../helpers/deploy-world.ts';
import { until } from '../../helpers/redis-server.ts';

const full = () => new StoreError('STORE_FULL', 'The disk is full', { retryable: true });
const keyed = (prefix: string) => `  key_template: "${prefix}:{table}:{key}"\n`;
const changes = (table: string, count: number) => Array.from({ length: count }, (_, id) => change(table, id, `v${id}`));

let world: DeployWorld;
beforeEach(async () => {
  world = await DeployWorld.start();
});
afterEach(async () => {
  vi.restoreAllMocks();
  await world.close();
});

test('a checkpoint that could not be stored before a change never comes after those of the new configuration', async () => {
  await world.run(world.document());
  const settle = vi.spyOn(EmbeddedStore.prototype, 'settle').mockRejectedValue(full());
  await world.send(changes('orders', 50));
  await world.settled();
  await until('a second attempt', () => settle.mock.calls.length >= 2);
  await world.engine.pipeline.deploy(world.document(keyed('next')), { origin: 'deploy' });
  settle.mockRestore();
  await world.settled();
  const stored: number[] = [];
  const through = EmbeddedStore.prototype.settle;
  vi.spyOn(EmbeddedStore.prototype, 'settle').mockImplementation(function (this: EmbeddedStore, checkpoint) {
    stored.push(checkpoint.position);
    return through.call(this, checkpoint);
  });
  for (let i = 0; i < 20; i++) {
    await world.send([change('orders', 100 + i, 'x')]);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  await world.settled();
  expect(stored).toEqual([...stored].sort((one, other) => one - other));
});

test('a stopped pipeline whose deployment and start could not be stored can still be started', async () => {
  await world.run(world.document());
  await world.engine.pipeline.stop();
  await world.send(changes('orders', 5));
  const add = vi.spyOn(ConfigurationStore.prototype, 'add').mockRejectedValue(full());
  const deployed = world.engine.pipeline.deploy(world.document(keyed('next')), { origin: 'deploy', start: true });
  await expect(deployed).rejects.toThrow('full');
  add.mockRestore();
  expect(world.engine.pipeline.state).toBe('stopped');
  await world.engine.pipeline.start();
  await world.settled();
  expect(await world.client.dbsize()).toBe(5);
});

test('a start whose note did not come to disk is no start, and can be repeated', async () => {
  await world.run(world.document());
  await world.engine.pipeline.stop();
  await world.send(changes('orders', 5));
  vi.spyOn(StateStore.prototype, 'sync').mockRejectedValueOnce(full());
  await expect(world.engine.pipeline.start()).rejects.toThrow('full');
  await world.engine.pipeline.start();
  await world.settled();
  expect(await world.client.dbsize()).toBe(5);
});

test('a reset that cannot have its port again says so, and the engine can be closed', async () => {
  await world.run(world.document());
  const restart = EmbeddedStore.open;
  const thief = createServer();
  vi.spyOn(EmbeddedStore, 'open').mockImplementationOnce(async (options) => {
    await new Promise<void>((resolve) => thief.listen(world.port, '127.0.0.1', resolve));
    return restart.call(EmbeddedStore, options);
  });
  await expect(world.engine.pipeline.reset({ flushTarget: false })).rejects.toThrow('another program uses it');
  expect(world.engine.snapshot().store).toMatchObject({ state: 'failed' });
  await new Promise((resolve) => thief.close(resolve));
  await world.engine.pipeline.reset({ flushTarget: false });
  expect(world.engine.snapshot()).toMatchObject({ store: { state: 'ready' }, pipeline: { state: 'started' } });
});

test('a reset after which the store does not open says so, and the engine can be closed', async () => {
  await world.run(world.document());
  vi.spyOn(EmbeddedStore, 'open').mockRejectedValueOnce(full());
  await expect(world.engine.pipeline.reset({ flushTarget: false })).rejects.toThrow('full');
  expect(world.engine.snapshot().store).toMatchObject({ state: 'failed' });
  await world.stopEngine();
  await world.run({ kind: 'deployed' });
  expect(world.engine.snapshot()).toMatchObject({ streams: [], pipeline: { awaitsFeederRestart: true } });
});

test('a reset is noted before the target is emptied, so that a crash in between reads everything again', async () => {
  await world.run(world.document());
  await world.send(changes('orders', 3));
  await world.settled();
  const keysAt: [string | undefined, number][] = [];
  const note = ConfigurationStore.prototype.change;
  vi.spyOn(ConfigurationStore.prototype, 'change').mockImplementation(async function (this: ConfigurationStore, what) {
    await note.call(this, what);
    keysAt.push([what.feeder, await world.client.dbsize()]);
  });
  await world.engine.pipeline.reset({ flushTarget: true });
  expect(keysAt).toEqual([
    ['resetting', 3],
    ['awaited', 0],
  ]);
});

test('the journal is gone for good before what it held is forgotten', async () => {
  await world.run(world.document());
  await world.send(changes('orders', 3));
  await world.settled();
  const steps: string[] = [];
  const [sync, remove] = [fs.fsyncSync, fs.rmSync];
  vi.spyOn(fs, 'rmSync').mockImplementation((path, options) => {
    remove(path, options);
    steps.push(`removed ${basename(String(path))}`);
  });
  vi.spyOn(fs, 'fsyncSync').mockImplementation((fd) => {
    sync(fd);
    steps.push(`synced ${basename(fs.readlinkSync(`/proc/self/fd/${fd}`))}`);
  });
  const change = vi.spyOn(ConfigurationStore.prototype, 'change');
  change.mockImplementation(async function (this: ConfigurationStore, what) {
    steps.push(`noted ${what.feeder}`);
    change.mockRestore();
    await this.change(what);
  });
  await world.engine.pipeline.reset({ flushTarget: false });
  expect(steps.slice(0, 3)).toEqual(['noted resetting', 'removed journal', 'synced data']);
});

test('a path that cannot begin after a change is told, and begins once it is stopped and started', async () => {
  await world.run(world.document());
  await world.client.lpush('orders:id:1', 'a list');
  await world.send(changes('orders', 3));
  await world.settled();
  expect(world.account('orders')).toMatchObject({ written: 2, rejected: 1 });
  vi.spyOn(SqliteDlq.prototype, 'forgetFrom').mockImplementationOnce(() => {
    throw full();
  });
  await world.engine.pipeline.deploy(world.document(keyed('next')), { origin: 'deploy' }).catch(() => {});
  expect(world.engine.ready().reasons).toContain('The disk is full.');
  expect(world.engine.snapshot().store.state).toBe('failed');
  await world.send([change('orders', 7, 'later')]);
  await world.engine.pipeline.stop();
  await world.engine.pipeline.start();
  await world.settled();
  expect(await world.client.hget('next:orders:id:7', 'ref')).toBe('later');
});
