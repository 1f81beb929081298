import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ACCOUNT_PLACES, missingEntries } from '../../../src/control/index.ts';
import { change, DeployWorld } from '../../helpers/deploy-world.ts';
import { until } from '../../helpers/redis-server.ts';

let world: DeployWorld;
beforeEach(async () => {
  world = await DeployWorld.start();
});
afterEach(() => world.close());

const keyed = (prefix: string) => `  key_template: "${prefix}:{table}:{key}"\n`;

test('a deployment under load loses nothing and keeps the order of each key', async () => {
  await world.run(world.document(keyed('r0')));
  const feeder = await world.feeder();
  let sent = 0;
  let goesOn = true;
  const ids = 40;
  const feeding = (async () => {
    while (goesOn) {
      const batch = Array.from({ length: 200 }, () =>
        change('orders', sent % ids, `v${sent++}`, sent <= ids ? 'c' : 'u'),
      );
      feeder.send(Buffer.concat(batch));
      await feeder.replies(batch.length);
    }
  })();
  for (let i = 1; i <= 8; i++) {
    const deployment = await world.engine.pipeline.deploy(world.document(keyed(`r${i}`)), { origin: 'deploy' });
    expect(deployment.problems).toEqual([]);
    expect(deployment.revision?.number).toBe(i + 1);
    await new Promise((resolve) => setTimeout(resolve, 60));
  }
  goesOn = false;
  await feeding;
  feeder.close();
  // A last value of every row, in the last configuration.
  await world.send(Array.from({ length: ids }, (_, id) => change('orders', id, `last${id}`, 'u')));
  await world.settled();
  for (let id = 0; id < ids; id++) expect(await world.client.hget(`r8:orders:id:${id}`, 'ref')).toBe(`last${id}`);
  const account = world.account('orders');
  expect(account.received).toBe(sent + ids);
  expect(missingEntries(account)).toBe(0);
  expect(account.rejected).toBe(0);
  // Within each configuration the values of a row only grow.
  for (let i = 0; i < 8; i++) {
    const values = await Promise.all(
      Array.from({ length: ids }, (_, id) => world.client.hget(`r${i}:orders:id:${id}`, 'ref')),
    );
    for (const [id, value] of values.entries()) if (value) expect(Number(value.slice(1)) % ids).toBe(id);
  }
}, 60_000);

test('what waits for a target that is away is written by the new configuration, once it names another one', async () => {
  await world.run(world.document('', {}, '{type: redis, host: 127.0.0.1, port: 1}'));
  await world.send(Array.from({ length: 3000 }, (_, id) => change('orders', id, `v${id}`)));
  const deployment = await world.engine.pipeline.deploy(world.document(), { origin: 'deploy' });
  expect(deployment.differences.map(({ file, change: how }) => [file, how])).toEqual([['config.yaml', 'changed']]);
  await world.settled();
  expect(await world.client.dbsize()).toBe(3000);
  expect(world.account('orders').written).toBe(3000);
});

test('with a problem nothing changes, and all problems are told at once', async () => {
  await world.run(world.document());
  const jobs = { 'a.yaml': 'source: {table: a}\ntransform:\n  - uses: filtr\n', 'b.yaml': 'source: {}\n' };
  const wrong = world.document('  read_batch_size: none\n', jobs);
  const check = await world.engine.pipeline.check(wrong);
  expect(check.problems.map(({ file }) => file)).toContain('config.yaml');
  const onlyJobs = await world.engine.pipeline.deploy(world.document('', jobs), { origin: 'deploy' });
  expect([...new Set(onlyJobs.problems.map(({ file }) => file))].sort()).toEqual(['jobs/a.yaml', 'jobs/b.yaml']);
  expect(onlyJobs.revision).toBeNull();
  expect(world.engine.pipeline.revisions()).toHaveLength(1);
  await world.send([change('a', 1, 'x')]);
  await world.settled();
  expect(await world.client.hget('a:id:1', 'ref')).toBe('x');
});

test('a job that names a target that is not there is a problem, not a pipeline that fails', async () => {
  await world.run(world.document());
  const job =
    'source: {table: a}\noutput:\n  - uses: redis.write\n    with: {connection: elsewhere, data_type: hash}\n';
  const { problems } = await world.engine.pipeline.check(world.document('', { 'a.yaml': job }));
  expect(problems).toHaveLength(1);
  expect(problems[0]?.message).toContain('elsewhere');
});

test('the next process finds what was deployed, and the same folder makes no new revision', async () => {
  await world.run(world.document(keyed('one')));
  await world.engine.pipeline.deploy(world.document(keyed('two')), { origin: 'deploy', note: 'a better prefix' });
  await world.stopEngine();
  await world.run({ kind: 'deployed' });
  expect(world.engine.snapshot().pipeline).toMatchObject({ state: 'started', revision: 2, isDeployed: true });
  await world.send([change('orders', 1, 'x')]);
  await world.settled();
  expect(await world.client.hget('two:orders:id:1', 'ref')).toBe('x');
  await world.stopEngine();
  await world.run(world.document(keyed('two')));
  expect(world.engine.pipeline.revisions().map(({ origin, note, isCurrent }) => [origin, note, isCurrent])).toEqual([
    ['run', 'pipeline', false],
    ['deploy', 'a better prefix', true],
  ]);
});

test('a rollback puts the texts of an earlier revision in force, as a new one', async () => {
  await world.run(world.document(keyed('one')));
  await world.engine.pipeline.deploy(world.document(keyed('two')), { origin: 'deploy' });
  const back = await world.engine.pipeline.rollback(1);
  expect(back?.revision).toMatchObject({ number: 3, origin: 'rollback', note: 'back to revision 1' });
  expect(await world.engine.pipeline.rollback(9)).toBeNull();
  await world.send([change('orders', 1, 'x')]);
  await world.settled();
  expect(await world.client.exists('one:orders:id:1')).toBe(1);
  expect(world.engine.pipeline.revision(3)?.document.config).toBe(world.document(keyed('one')).config);
});

test('without a pipeline feeders are served, and the first deployment writes what waited', async () => {
  await world.run({ kind: 'deployed' });
  expect(world.engine.ready().reasons.join()).toContain('rdi deploy');
  await world.send(Array.from({ length: 10 }, (_, id) => change('orders', id, 'x')));
  expect(world.account('orders')).toMatchObject({ received: 10, pending: 10 });
  await world.engine.pipeline.deploy(world.document(), { origin: 'deploy' });
  await world.settled();
  expect(await world.client.dbsize()).toBe(10);
  expect(world.engine.ready().ready).toBe(true);
});

test('a stopped pipeline accepts, writes nothing, stays stopped over a restart, and goes on where it stood', async () => {
  await world.run(world.document());
  await world.engine.pipeline.stop();
  expect(world.engine.pipeline.state).toBe('stopped');
  await world.send(Array.from({ length: 100 }, (_, id) => change('orders', id, 'x')));
  await world.stopEngine();
  await world.run(world.document());
  expect(world.engine.pipeline.state).toBe('stopped');
  expect(world.account('orders').pending).toBe(100);
  expect(await world.client.dbsize()).toBe(0);
  await world.engine.pipeline.start();
  await world.settled();
  expect(await world.client.dbsize()).toBe(100);
  expect(world.account('orders')).toMatchObject({ received: 100, written: 100, pending: 0 });
});

test('secrets that are written out are shown to nobody, and a mask that comes back stands for them', async () => {
  await world.client.config('SET', 'requirepass', 'open sesame');
  await world.client.auth('open sesame');
  const connection = `{type: redis, host: 127.0.0.1, port: ${world.target.port}, password: open sesame}`;
  const document = world.document('', {}, connection);
  await world.run(document);
  const shown = world.engine.pipeline.revision(1)?.document.config ?? '';
  expect(shown).not.toContain('sesame');
  const edited = { ...document, config: `${shown}  read_batch_size: 500\n` };
  const deployment = await world.engine.pipeline.deploy(edited, { origin: 'api' });
  expect(deployment.problems).toEqual([]);
  expect(JSON.stringify(deployment)).not.toContain('sesame');
  await world.send([change('orders', 1, 'x')]);
  await world.settled();
  expect(await world.client.dbsize()).toBe(1);
  const changed = world.document('', {}, connection.replace('open sesame', 'another'));
  expect((await world.engine.pipeline.check(changed)).differences).toHaveLength(1);
  expect(JSON.stringify(await world.engine.pipeline.check(changed))).not.toMatch(/sesame|another/);
  const other = await world.engine.pipeline.check({ ...edited, config: shown.replace('target:', 'second:') });
  expect(other.problems[0]?.message).toContain('stands for a secret');
});

test('a changed secret reconnects; one that is gone leaves what runs alone', async () => {
  await world.client.config('SET', 'requirepass', 'first');
  await world.client.auth('first');
  const secrets = join(world.folder, 'secrets');
  mkdirSync(secrets, { mode: 0o700 });
  const write = (password: string) => writeFileSync(join(secrets, 'PASS'), `${password}\n`, { mode: 0o600 });
  write('first');
  const connection = `{type: redis, host: 127.0.0.1, port: ${world.target.port}, password: "\${PASS}"}`;
  await world.run(world.document('', {}, connection), { env: { RDI_SECRETS_DIR: secrets } });
  await world.send([change('orders', 1, 'x')]);
  await world.settled();
  await world.client.config('SET', 'requirepass', 'second');
  await world.client.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
  await world.send([change('orders', 2, 'x')]);
  await until('the target to refuse', () => world.engine.snapshot().targets[0]?.state.state === 'refused');
  write('second');
  await world.settled();
  expect(await world.client.dbsize()).toBe(2);
  rmSync(join(secrets, 'PASS'));
  await until('the loss to be told', () => world.engine.snapshot().pipeline.failure !== null, 10_000);
  expect(world.engine.snapshot().pipeline.failure).toContain('PASS');
  await world.send([change('orders', 3, 'x')]);
  await world.settled();
  expect(await world.client.dbsize()).toBe(3);
  expect(world.engine.pipeline.revisions()).toHaveLength(1);
});

test('the account holds at every moment of deployments, stops and starts', async () => {
  await world.run(world.document());
  const wrong: unknown[] = [];
  const watch = setInterval(() => {
    for (const stream of world.engine.snapshot().streams)
      if (missingEntries(stream) !== 0 || stream.pending < 0) wrong.push(stream);
  }, 1);
  for (let i = 0; i < 6; i++) {
    await world.send(Array.from({ length: 2000 }, (_, id) => change('orders', id, `v${i}`, i === 0 ? 'c' : 'u')));
    if (i % 3 === 0)
      await world.engine.pipeline.deploy(world.document(`  read_batch_size: ${100 + i}\n`), { origin: 'deploy' });
    if (i % 3 === 1) await world.engine.pipeline.stop();
    if (i % 3 === 2) await world.engine.pipeline.start();
  }
  await world.settled();
  clearInterval(watch);
  expect(wrong).toEqual([]);
  expect(ACCOUNT_PLACES).toContain('pending');
  for (const id of [0, 999, 1999]) expect(await world.client.hget(`orders:id:${id}`, 'ref')).toBe('v5');
}, 60_000);
