import type { Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { hasRedisJson, redisJsonPath } from '../helpers/redis-server.ts';
import { type Random, seededRandom } from './random.ts';
import { problemsOf } from './rdi.ts';
import { compareRows, differences } from './target-checks.ts';
import type { Fields } from './workload.ts';
import { acknowledge, clientOf, createWorld, expectWhole, KEEPS_ALL, type World } from './world.ts';

let world: World;
let random: Random;

beforeEach(() => {
  random = seededRandom('target refuses');
});

afterEach(() => world.close());

describe('a wrong password', () => {
  it('is told without being shown, and everything arrives once the target takes it', async () => {
    world = await createWorld({ random, target: { args: ['--requirepass', 'right-one'] } });
    const { server, rdi, feeder } = world;
    const admin = clientOf(server.port, { password: 'right-one' });
    try {
      rdi.configure(['host: 127.0.0.1', `port: ${server.port}`, 'password: wrong-one']);
      await rdi.start();
      feeder.start();
      await acknowledge(feeder, 500);
      await rdi.until('the refusal to be told', (status) => /refuses our user/.test(problemsOf(status)));
      const status = await rdi.status();
      expect(status).toMatchObject({ state: 'ERROR', ready: false, targets: [{ state: { code: 'TARGET_AUTH' } }] });
      expect(problemsOf(status)).toMatch(/WRONGPASS.*Correct user, password or permissions.*nothing is lost/);
      expect(JSON.stringify(status) + rdi.log()).not.toContain('wrong-one');
      await admin.acl('SETUSER', 'default', '>wrong-one');
      await acknowledge(feeder, 500);
      await feeder.stop();
      await expectWhole({ ...world, target: admin });
    } finally {
      admin.disconnect();
    }
  });
});

describe('a permission that is taken away', () => {
  it('stops the writing, and everything arrives once it is given back', async () => {
    world = await createWorld({ random });
    const { server, target, rdi, feeder } = world;
    await target.acl('SETUSER', 'rdi', 'on', '>secret', '~*', '+@all');
    rdi.configure(['host: 127.0.0.1', `port: ${server.port}`, 'user: rdi', 'password: secret']);
    await rdi.start();
    feeder.start();
    await acknowledge(feeder, 500);
    await target.acl('SETUSER', 'rdi', '-hset', '-del');
    await rdi.until('the refusal to be told', (status) => /refuses our user.*NOPERM/.test(problemsOf(status)));
    await acknowledge(feeder, 500);
    await target.acl('SETUSER', 'rdi', '+hset', '+del');
    await acknowledge(feeder, 500);
    await feeder.stop();
    await expectWhole(world);
  });
});

describe('keys of another type in the way', () => {
  it('put exactly their records into the DLQ, with the reason, and hold up nothing else', async () => {
    world = await createWorld({ random, workload: { deletes: false } });
    const { target, rdi, feeder } = world;
    const blocked = ['hot:id:2', 'customers:id:7', 'lines:order_id:1:line_no:2'];
    for (const key of blocked) await target.rpush(key, 'in the way');
    await rdi.start();
    feeder.start();
    await acknowledge(feeder, 3000);
    await feeder.stop();
    const { totals, dlqs } = await expectWhole(world, { rejects: true });
    const wanted = blocked.flatMap((key) => feeder.fold.history.get(key) ?? []).sort((a, b) => a - b);
    expect(wanted.length).toBeGreaterThan(20);
    expect(totals.rejected).toBe(wanted.length);
    const records = await readDlqs(dlqs.map(({ stream }) => stream));
    expect(records.map(({ after }) => JSON.parse(after as string).v).sort((a, b) => a - b)).toEqual(wanted);
    for (const { reason_rejected, target: key } of records) {
      expect(blocked).toContain(key);
      expect(reason_rejected).toMatch(/^TARGET_WRONG_TYPE: .* found a key that is not a hash .*Delete the key/);
    }
    for (const key of blocked) expect(await target.lrange(key, 0, -1)).toEqual(['in the way']);
    for (const key of blocked) {
      await target.del(key);
      feeder.fold.rows.delete(key);
    }
    expect(await differences(target, feeder.fold.rows)).toEqual([]);
  });

  async function readDlqs(streams: readonly string[]): Promise<Record<string, string>[]> {
    const pages = streams.map((stream) =>
      world.rdi.get<{ records: Record<string, string>[] }>(
        `/api/v2/pipelines/default/dlqs/${encodeURIComponent(stream)}/records?limit=1000`,
      ),
    );
    return (await Promise.all(pages)).flatMap(({ records }) => records);
  }
});

describe('a target without RedisJSON', () => {
  it.skipIf(!hasRedisJson)(
    'holds JSON documents back, says what is missing, and gets them once it has the module',
    async () => {
      world = await createWorld({ random, rdi: { processors: ['target_data_type: json'] } });
      const { server, target, rdi, feeder } = world;
      await rdi.start();
      feeder.start();
      await acknowledge(feeder, 500);
      await rdi.until('the lack to be told', (status) => /has no RedisJSON/.test(problemsOf(status)));
      const status = await rdi.status();
      expect(status).toMatchObject({ state: 'ERROR', ready: false, totals: { written: 0, rejected: 0 } });
      expect(problemsOf(status)).toMatch(/Load the RedisJSON module.*target_data_type: hash/);
      await server.restart([...KEEPS_ALL, '--loadmodule', redisJsonPath]);
      await acknowledge(feeder, 500);
      await feeder.stop();
      const { dlqs } = await expectWhole(world, { rejects: true });
      expect(dlqs).toEqual([]);
      expect(compareRows(await readDocuments(target), feeder.fold.rows)).toEqual([]);
    },
  );

  async function readDocuments(target: Redis): Promise<Map<string, Fields>> {
    const documents = new Map<string, Fields>();
    for (const key of await target.keys('*')) {
      const document = JSON.parse((await target.call('JSON.GET', key)) as string) as Record<string, unknown>;
      const fields = Object.entries(document).filter(([, value]) => value !== null);
      documents.set(key, new Map(fields.map(([name, value]) => [name, String(value)])));
    }
    return documents;
  }
});
