import { afterEach, describe, expect, test } from 'vitest';
import { seededRandom } from '../../helpers/random.ts';
import { fold, RetryWorld, type RetryWorldOptions, STREAM } from '../../helpers/retry-world.ts';
import { tempFolder } from '../../helpers/temp-folder.ts';

const folder = tempFolder({ inMemory: true });
let count = 0;
let world: RetryWorld | undefined;

afterEach(async () => {
  await world?.stop().catch(() => {});
  world = undefined;
});

async function start(options: Partial<RetryWorldOptions> = {}): Promise<RetryWorld> {
  const random = seededRandom(7);
  world = new RetryWorld({ folder: `${folder}/${++count}`, random, onReject: 'continue', ...options });
  await world.start();
  return world;
}

const ALL = {};
const GENTLY = { force: false };

describe('a retry', () => {
  test('after what refused a record was mended writes it, and moves it within the account', async () => {
    const here = await start();
    here.refused.add(1);
    here.send(7);
    here.send(8);
    await here.drain();
    expect(here.account).toMatchObject({ written: 1, rejected: 1 });
    here.refused.clear();
    const [id] = here.ids;
    expect(await here.desk.retry(ALL, GENTLY)).toEqual({
      ...{ written: 1, filtered: 0, superseded: 0, kept: 0 },
      records: [{ stream: STREAM, id, outcome: 'written' }],
    });
    expect(here.ids).toEqual([]);
    expect(here.rows).toEqual(fold(here.sent));
    expect(here.account).toMatchObject({ written: 2, rejected: 0, received: 2, sum: 2 });
    await here.crash();
    await here.start();
    await here.drain();
    expect(here.ids).toEqual([]);
    expect(here.account).toMatchObject({ written: 2, rejected: 0, received: 2, sum: 2 });
  });

  test('of a record that is rejected again keeps it with its new reason, and holds the others not up', async () => {
    const here = await start();
    here.refused.add(1);
    here.refused.add(2);
    here.send(1);
    here.send(2);
    await here.drain();
    here.refused.clear();
    here.unmapped.add(1);
    const [first = '', second] = here.ids;
    const report = await here.desk.retry(ALL, GENTLY);
    expect(report.records).toEqual([
      { stream: STREAM, id: first, outcome: 'kept', reason: 'TRANSFORM_FAILED: bad row' },
      { stream: STREAM, id: second, outcome: 'written' },
    ]);
    expect(here.ids).toEqual([first]);
    expect(here.field(first, 'reason_rejected')).toBe('TRANSFORM_FAILED: bad row');
    expect(here.field(first, 'attempt')).toBe('2');
    expect(here.account).toMatchObject({ written: 1, rejected: 1, sum: 2 });
  });

  test('keeps the order of the entries, also where the later one of a batch was rejected first', async () => {
    const here = await start();
    here.refused.add(1);
    here.unmapped.add(2);
    here.send(1);
    here.send(1);
    await here.drain();
    here.refused.clear();
    here.unmapped.clear();
    expect(await here.desk.retry(ALL, GENTLY)).toMatchObject({ written: 2 });
    expect(here.rows).toEqual(new Map([[1, 2]]));
  });

  test('of what a job filters out now, takes it out of the queue', async () => {
    const here = await start();
    here.refused.add(1);
    here.send(1);
    await here.drain();
    here.filtered.add(1);
    expect(await here.desk.retry(ALL, GENTLY)).toMatchObject({ filtered: 1, written: 0 });
    expect(here.account).toMatchObject({ filtered: 1, rejected: 0, sum: 1 });
  });

  test('waits while the target is away, and leaves the records in the queue when the pipeline is stopped meanwhile', async () => {
    const here = await start();
    here.refused.add(1);
    here.send(1);
    await here.drain();
    here.refused.clear();
    here.setTargetAway(true);
    here.send(2);
    await here.store.flush();
    const retried = here.desk.retry(ALL, GENTLY);
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(here.ids).toHaveLength(1);
    here.pipeline?.stop();
    here.setTargetAway(false);
    expect(await retried).toMatchObject({ kept: 1, written: 0 });
    expect(here.ids).toHaveLength(1);
  });

  test('of a stream that needs another lane with the current jobs goes there', async () => {
    const here = await start();
    here.refused.add(1);
    here.send(1);
    await here.drain();
    here.refused.clear();
    here.laneOf = () => 'lookups';
    const retried = here.desk.retry(ALL, GENTLY);
    here.send(2);
    expect(await retried).toMatchObject({ written: 1 });
    here.send(1);
    await here.drain();
    expect(here.rows).toEqual(fold(here.sent));
    expect(here.checkpoint.laneOf(here.store.stream(0, STREAM))).not.toBe(here.checkpoint.main);
  });
});

describe('a newer value survives a retry of an older one', () => {
  /** Rejects the first change of row 1, and has `newer` bring the newer one. */
  async function rejectFirst(here: RetryWorld): Promise<void> {
    here.refused.add(1);
    here.send(1);
    await here.drain();
    here.refused.clear();
  }

  async function expectSuperseded(here: RetryWorld): Promise<void> {
    expect(here.desk.record(STREAM, here.ids[0] ?? '')?.is_superseded).toBe(true);
    expect(await here.desk.retry(ALL, GENTLY)).toMatchObject({ superseded: 1, written: 0 });
    expect(here.rows).toEqual(fold(here.sent));
    expect(here.ids).toEqual([]);
    expect(here.account).toMatchObject({
      superseded: 1,
      rejected: 0,
      received: here.sent.length,
      sum: here.sent.length,
    });
  }

  test('in the same batch', async () => {
    const here = await start();
    here.refused.add(1);
    here.send(1);
    here.send(1);
    await here.drain();
    await expectSuperseded(here);
  });

  test('in a later batch', async () => {
    const here = await start();
    await rejectFirst(here);
    here.send(1);
    await here.drain();
    await expectSuperseded(here);
  });

  test('that is a delete', async () => {
    const here = await start();
    await rejectFirst(here);
    here.send(1, 'd');
    await here.drain();
    await expectSuperseded(here);
    expect(here.rows.size).toBe(0);
  });

  test('that arrived while the process was down, or right before a crash', async () => {
    const here = await start();
    await rejectFirst(here);
    await here.checkpoint.flush();
    here.send(1);
    await here.store.flush();
    await here.crash();
    await here.start();
    await here.drain();
    await expectSuperseded(here);
  });

  test('that is still pending: it is written after it', async () => {
    const here = await start();
    await rejectFirst(here);
    here.setTargetAway(true);
    const retried = here.desk.retry(ALL, GENTLY);
    here.send(1);
    await here.store.flush();
    here.setTargetAway(false);
    await retried;
    await here.drain();
    expect(here.rows).toEqual(fold(here.sent));
  });

  test('that was itself retried before', async () => {
    const here = await start();
    here.refused.add(1).add(2);
    here.send(1);
    here.send(1);
    await here.drain();
    here.refused.clear();
    const [first, second = ''] = here.ids;
    await here.desk.retry({ ids: [second] }, GENTLY);
    expect(here.ids).toEqual([first]);
    await expectSuperseded(here);
  });

  test('unless it is forced', async () => {
    const here = await start();
    await rejectFirst(here);
    here.send(1);
    await here.drain();
    expect(await here.desk.retry(ALL, { force: true })).toMatchObject({ written: 1 });
    expect(here.rows.get(1)).toBe(1);
  });
});

test('a change that is sent again and is older at the source is not newer', async () => {
  const here = await start();
  const old = here.send(1);
  await here.drain();
  here.refused.add(2);
  here.send(1);
  await here.drain();
  here.send(1, 'c', old);
  await here.drain();
  expect(here.desk.record(STREAM, here.ids[0] ?? '')?.is_superseded).toBe(false);
  here.refused.clear();
  expect(await here.desk.retry(ALL, GENTLY)).toMatchObject({ written: 1 });
  expect(here.rows.get(1)).toBe(2);
});

test('a record without a key is kept, and says why, unless it is forced', async () => {
  const here = await start();
  here.refused.add(1);
  const source = { connector: 'postgresql', name: 'shop', db: 'd', schema: 's', table: 'orders' };
  here.sendRaw('default', JSON.stringify({ before: null, after: { id: 1, v: 1 }, source, op: 'c' }));
  await here.drain();
  here.refused.clear();
  const report = await here.desk.retry(ALL, GENTLY);
  expect(report).toMatchObject({ kept: 1, records: [{ outcome: 'kept' }] });
  expect(report.records[0]?.reason).toContain('no key');
  expect(here.field(here.ids[0] ?? '', 'attempt')).toBeUndefined();
  expect(await here.desk.retry(ALL, { force: true })).toMatchObject({ written: 1 });
});

test('a newer update without all columns leaves the record in doubt: neither of them is the whole row', async () => {
  const here = await start();
  here.refused.add(1);
  here.send(1);
  await here.drain();
  here.refused.clear();
  const source = { connector: 'postgresql', name: 'shop', db: 'd', schema: 's', table: 'orders', lsn: 2 };
  const after = { id: 1, v: 2, body: '__debezium_unavailable_value' };
  here.sendRaw('{"id":1}', JSON.stringify({ before: null, after, source, op: 'u' }));
  await here.drain();
  expect(here.desk.record(STREAM, here.ids[0] ?? '')?.is_superseded).toBeNull();
  expect(await here.desk.retry(ALL, GENTLY)).toMatchObject({ kept: 1, superseded: 0 });
  here.send(1);
  await here.drain();
  expect(await here.desk.retry(ALL, GENTLY)).toMatchObject({ superseded: 1 });
});

describe('an edit', () => {
  test('replaces the value alone, keeps the other fields and the place, and the retry writes what was edited', async () => {
    const here = await start();
    here.refused.add(1);
    here.send(1);
    await here.drain();
    const [id = ''] = here.ids;
    const before = here.desk.record(STREAM, id);
    const value = String(before?.raw_value).replace('"v":1', '"v":99');
    expect(await here.desk.edit(STREAM, id, { value })).toBe(true);
    const after = here.desk.record(STREAM, id);
    expect(after).toMatchObject({ entry_id: before?.entry_id, after: '{"id":1,"v":99}', is_superseded: false });
    expect(after?.fields).toEqual([
      { name: 'key', value: '{"id":1}' },
      { name: 'value', value },
    ]);
    expect(await here.desk.retry(ALL, GENTLY)).toMatchObject({ written: 1 });
    expect(here.rows).toEqual(new Map([[1, 99]]));
    expect(await here.desk.edit(STREAM, id, { value })).toBe(false);
  });

  test('makes an entry that was no JSON one that is written', async () => {
    const here = await start();
    here.sendRaw('{"id":5}', '{"after":');
    await here.drain();
    const [id = ''] = here.ids;
    const source = { connector: 'postgresql', name: 'shop', db: 'd', schema: 's', table: 'orders' };
    await here.desk.edit(STREAM, id, { value: JSON.stringify({ after: { id: 5, v: 50 }, source, op: 'c' }) });
    expect(here.desk.record(STREAM, id)).toMatchObject({ opcode: 'c', table: 'orders', after: '{"id":5,"v":50}' });
    expect(await here.desk.retry(ALL, GENTLY)).toMatchObject({ written: 1 });
    expect(here.rows).toEqual(new Map([[5, 50]]));
  });

  test('of the key makes it unknown whether the other row has something newer', async () => {
    const here = await start();
    here.refused.add(1);
    here.send(1);
    await here.drain();
    const [id = ''] = here.ids;
    await here.desk.edit(STREAM, id, { key: '{"id":2}' });
    expect(here.desk.record(STREAM, id)?.is_superseded).toBeNull();
    expect(await here.desk.retry(ALL, GENTLY)).toMatchObject({ kept: 1 });
  });
});

test('records are counted, dropped and exported by stream, id, reason, code and time', async () => {
  const here = await start();
  here.refused.add(1).add(2);
  here.unmapped.add(3);
  for (const row of [1, 2, 3]) here.send(row);
  await here.drain();
  const [first = ''] = here.ids;
  const since = Date.now() + 60_000;
  const counts = [ALL, { reason: 'target_wrong_type' }, { reason: 'BAD ROW' }, { ids: [first, '99', 'x'] }, { since }];
  expect(counts.map((selection) => here.desk.count(selection))).toEqual([3, 2, 1, 1, 0]);
  expect(here.desk.count({ stream: 'other' })).toBe(0);
  const exported: string[] = [];
  for await (const { code } of here.desk.export({ reason: 'wrong_type' }) as AsyncIterable<{ code?: string }>) {
    exported.push(code ?? '');
  }
  expect(exported).toEqual(['TARGET_WRONG_TYPE', 'TARGET_WRONG_TYPE']);
  expect(await here.desk.drop({ reason: 'bad row' })).toBe(1);
  expect(here.desk.count(ALL)).toBe(2);
  expect(here.account).toMatchObject({ rejected: 3, sum: 3 });
});

test('the oldest records beyond the limit are dropped, and what is left can be retried', async () => {
  const here = await start({ maxRecords: 5 });
  for (let row = 1; row <= 8; row++) here.refused.add(row);
  for (let row = 1; row <= 8; row++) here.send(row);
  await here.drain();
  expect(here.ids).toHaveLength(5);
  here.refused.clear();
  expect(await here.desk.retry(ALL, GENTLY)).toMatchObject({ written: 5 });
  expect(here.account).toMatchObject({ written: 5, rejected: 3, sum: 8 });
});

test.each([{ db: 'd' }, { keyspace: 'd' }, { database_id: 'd' }])(
  'a record that cannot be decoded is outdated by a newer change of its row, in a table of %j',
  async (database) => {
    const here = await start();
    const source = { connector: 'c', name: 'shop', ...database, table: 'orders' };
    here.sendRaw('{"id":1}', JSON.stringify({ before: null, after: 'no row', source, op: 'c' }));
    here.sendRaw('{"id":1}', JSON.stringify({ before: null, after: { id: 1, v: 5 }, source, op: 'u' }));
    await here.drain();
    expect(here.account).toMatchObject({ written: 1, rejected: 1 });
    expect(here.desk.record(STREAM, here.ids[0] ?? '')?.is_superseded).toBe(true);
  },
);

test('a record that moves its row is in doubt once another row has the key that it frees', async () => {
  const here = await start();
  const source = { connector: 'postgresql', name: 'shop', db: 'd', schema: 's', table: 'orders', lsn: 1 };
  const moved = { before: { id: 1, v: 0 }, after: { id: 2, v: 100 }, source, op: 'u' };
  here.unmapped.add(100);
  here.sendRaw('{"id":2}', JSON.stringify(moved));
  here.send(1);
  const newer = here.send(1);
  await here.drain();
  here.unmapped.clear();
  const [id = ''] = here.ids;
  const report = await here.desk.retry(ALL, GENTLY);
  expect(report).toMatchObject({ kept: 1, written: 0 });
  expect(report.records[0]?.reason).toContain('could undo it');
  expect(here.ids).toEqual([id]);
  expect(here.rows).toEqual(new Map([[1, newer.version]]));
});

test('a record that is edited while it is tried stays, with what was edited', async () => {
  const here = await start();
  here.refused.add(1);
  here.send(1);
  await here.drain();
  here.refused.clear();
  const [id = ''] = here.ids;
  here.setTargetAway(true);
  const retry = here.desk.retry(ALL, GENTLY);
  await expect.poll(() => here.pipeline?.inFlightEntries).toBe(1);
  const source = { connector: 'postgresql', name: 'shop', db: 'd', schema: 's', table: 'orders', lsn: 1 };
  const value = JSON.stringify({ before: null, after: { id: 1, v: 77 }, source, op: 'c' });
  expect(await here.desk.edit(STREAM, id, { value })).toBe(true);
  here.setTargetAway(false);
  expect(await retry).toMatchObject({ kept: 1, written: 0 });
  expect(here.account).toMatchObject({ rejected: 1, sum: 1 });
  expect(await here.desk.retry(ALL, GENTLY)).toMatchObject({ kept: 0, written: 1 });
  expect(here.rows).toEqual(new Map([[1, 77]]));
  expect(here.account).toMatchObject({ written: 1, rejected: 0, sum: 1 });
});

describe('with park_key', () => {
  test('later changes of a row wait behind the rejected one, of others go on, and follow at once when it is written', async () => {
    const here = await start({ onReject: 'park_key' });
    here.refused.add(1);
    for (const row of [1, 2, 1, 1, 2]) here.send(row);
    await here.drain();
    expect(here.rows).toEqual(new Map([[2, 5]]));
    const [first = '', second = '', third = ''] = here.ids;
    expect(here.field(second, 'code')).toBe('PARKED_BEHIND');
    expect(here.field(second, 'reason_rejected')).toContain(here.field(first, 'entry_id'));
    expect(await here.desk.retry({ ids: [third] }, GENTLY)).toMatchObject({ kept: 1, written: 0 });
    expect(await here.desk.retry({ ids: [first, third] }, GENTLY)).toMatchObject({ kept: 2, written: 0 });
    here.refused.clear();
    expect(await here.desk.retry({ ids: [first] }, GENTLY)).toMatchObject({ written: 3 });
    expect(here.taken.filter(({ row }) => row === 1).map(({ version }) => version)).toEqual([1, 3, 4]);
    expect(here.ids).toEqual([]);
    expect(here.account).toMatchObject({ written: 5, rejected: 0, sum: 5 });
  });

  test('a row whose first record is rejected again keeps all behind it; when it is dropped they follow', async () => {
    const here = await start({ onReject: 'park_key' });
    here.refused.add(1);
    for (let i = 0; i < 3; i++) here.send(1);
    await here.drain();
    expect(await here.desk.retry(ALL, GENTLY)).toMatchObject({ kept: 3, written: 0 });
    expect(here.taken).toEqual([]);
    await here.desk.drop({ ids: [here.ids[0] ?? ''] });
    await expect.poll(() => here.ids).toEqual([]);
    expect(here.rows).toEqual(new Map([[1, 3]]));
    expect(here.account).toMatchObject({ written: 2, rejected: 1, sum: 3 });
  });

  test('a change that came to wait behind a record that is dropped meanwhile follows', async () => {
    const here = await start({ onReject: 'park_key' });
    here.refused.add(1);
    here.send(1);
    await here.drain();
    here.setTargetAway(true);
    here.send(1);
    here.send(2);
    await here.store.flush();
    await expect.poll(() => here.pipeline?.inFlightEntries).toBe(2);
    await here.desk.drop({ ids: here.ids });
    here.setTargetAway(false);
    await expect
      .poll(() => here.rows)
      .toEqual(
        new Map([
          [1, 2],
          [2, 3],
        ]),
      );
    await expect.poll(() => here.ids).toEqual([]);
  });

  test('what waited behind a record that is given to another row follows', async () => {
    const here = await start({ onReject: 'park_key' });
    here.refused.add(1);
    here.send(1);
    here.send(1);
    await here.drain();
    const [first = ''] = here.ids;
    await here.desk.edit(STREAM, first, { key: '{"id":9}' });
    await expect.poll(() => here.ids).toEqual([first]);
    expect(here.rows).toEqual(new Map([[1, 2]]));
  });

  test('what waited behind any number of dropped records follows', async () => {
    const here = await start({ onReject: 'park_key' });
    const rows = Array.from({ length: 450 }, (_, i) => i + 1);
    for (const row of rows) here.refused.add(here.send(row).version);
    for (const row of rows) here.send(row);
    await here.drain();
    expect(here.ids).toHaveLength(900);
    await here.desk.drop({ ids: here.ids.slice(0, 450) });
    await expect.poll(() => here.ids.length, { timeout: 5000 }).toBe(0);
    expect(here.rows).toEqual(fold(here.sent));
  });

  test('a full queue stops the stream instead of dropping a record, and says what to do', async () => {
    const here = await start({ onReject: 'park_key', maxRecords: 3 });
    here.refused.add(1);
    for (let i = 0; i < 6; i++) here.send(1);
    await here.store.flush();
    const stream = here.store.stream(0, STREAM);
    await expect.poll(() => here.checkpoint.behind(stream)?.stopped?.reason).toContain('dlq_max_messages');
    expect(here.ids).toHaveLength(3);
    await here.desk.drop({ ids: here.ids });
    here.refused.clear();
    expect(await here.pipeline?.resume(stream)).toBe(true);
    await here.drain();
    expect(here.rows).toEqual(new Map([[1, 6]]));
  });

  test('a stream that was stopped by its full queue goes on after a retry, with nothing dropped', async () => {
    const here = await start({ onReject: 'park_key', maxRecords: 3 });
    here.refused.add(1);
    for (let i = 0; i < 6; i++) here.send(1);
    await here.store.flush();
    const stream = here.store.stream(0, STREAM);
    await expect.poll(() => here.checkpoint.behind(stream)?.stopped?.reason).toContain('dlq_max_messages');
    here.refused.clear();
    expect(await here.desk.retry(ALL, GENTLY)).toMatchObject({ written: 3, kept: 0 });
    expect(await here.pipeline?.resume(stream)).toBe(true);
    await here.drain();
    expect(here.taken.map(({ version }) => version)).toEqual([1, 2, 3, 4, 5, 6]);
    expect(here.account).toMatchObject({ written: 6, rejected: 0, sum: 6 });
  });

  test('a record behind the place where a full queue stops the stream is stored once, when the stream comes there', async () => {
    const here = await start({ onReject: 'park_key', maxRecords: 1 });
    here.refused.add(1);
    here.send(1);
    here.sendRaw('{"id":2}', 'no JSON');
    await here.store.flush();
    const stream = here.store.stream(0, STREAM);
    await expect.poll(() => here.checkpoint.behind(stream)?.stopped?.reason).toContain('dlq_max_messages');
    await expect.poll(() => here.pipeline?.inFlightEntries).toBe(0);
    expect(here.ids).toEqual([]);
    here.refused.clear();
    expect(await here.pipeline?.resume(stream)).toBe(true);
    await here.drain();
    expect(here.ids).toHaveLength(1);
    expect(here.account).toMatchObject({ written: 1, rejected: 1, sum: 2 });
  });
});

const SEEDS = Array.from({ length: Number(process.env['RDI_LONG'] ? 200 : 10) }, (_, i) => i + 1);

describe.each(['continue', 'park_key'] as const)(
  'with random rejections, retries, outages and crashes (%s)',
  (onReject) => {
    test.each(SEEDS)('the target equals the changes in order, and the account adds up (seed %i)', async (seed) => {
      const random = seededRandom(seed);
      const here = await start({ onReject, random });
      const retries: Promise<unknown>[] = [];
      for (let step = 0; step < 60; step++) {
        for (let n = random.below(10); n > 0; n--) {
          const { version } = here.send(random.below(6) + 1);
          if (random.chance(0.1)) here.refused.add(version);
          else if (random.chance(0.05)) here.unmapped.add(version);
        }
        // What is never read while the target refuses it is never rejected.
        if (random.chance(0.7)) await here.store.flush();
        for (let n = random.below(6); n > 0; n--) await here.pause();
        if (random.chance(0.15)) here.setTargetAway(random.chance(0.3));
        if (random.chance(0.06)) for (const set of [here.refused, here.unmapped]) if (random.chance(0.5)) set.clear();
        // In half of the runs everything waits for the retry at the end, when nearly all of it is outdated.
        if (seed % 2 === 0 && random.chance(0.3))
          retries.push(retrySome(here, random.chance(0.5), () => random.chance(0.3)));
        if (random.chance(0.08)) {
          await here.store.flush();
          await here.crash();
          await Promise.all(retries.splice(0));
          await here.start();
        }
      }
      here.setTargetAway(false);
      await here.drain();
      here.refused.clear();
      here.unmapped.clear();
      await Promise.all(retries);
      await here.desk.retry(ALL, GENTLY);
      expect(here.ids).toEqual([]);
      expect(here.rows).toEqual(fold(here.sent));
      const { rejected, received, sum } = here.account;
      expect({ rejected, received, sum }).toEqual({ rejected: 0, received: here.sent.length, sum: here.sent.length });
      if (onReject === 'park_key') expect(lastTimes(here)).toEqual(here.sent.map(({ version }) => version));
    });
  },
);

function retrySome(here: RetryWorld, all: boolean, isWanted: () => boolean): Promise<unknown> {
  return here.desk.retry(all ? ALL : { ids: here.ids.filter(isWanted) }, GENTLY);
}

/** Versions by row in the order in which the target took each for the last time: a crash may have it take some again. */
function lastTimes({ taken, sent }: RetryWorld): number[] {
  const last = new Map(taken.map(({ version }, i) => [version, i]));
  const rows = new Map<number, number[]>();
  for (const { row, version } of [...taken].filter(({ version }, i) => last.get(version) === i)) {
    rows.set(row, [...(rows.get(row) ?? []), version]);
  }
  // Each row's versions must come in the order in which they were sent; rows are woven together as they were sent.
  return sent.map(({ row }) => rows.get(row)?.shift() ?? -1);
}
