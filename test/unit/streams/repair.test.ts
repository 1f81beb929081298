import { existsSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { expect, test } from 'vitest';
import { main } from '../../../src/cli/index.ts';
import { KIND } from '../../../src/streams/record-format.ts';
import { repairJournal } from '../../../src/streams/repair.ts';
import { capturedTerminal } from '../../helpers/captured-terminal.ts';
import {
  append,
  CLOCK,
  entriesOf,
  filledFolder,
  flip,
  openStore,
  readAll,
  recordsOf,
  segmentsOf,
} from '../../helpers/damaged-journal.ts';
import { seededRandom } from '../../helpers/random.ts';

const ALL = Array.from({ length: 60 }, (_, i) => `entry ${i}`);

function repair(folder: string, apply = true) {
  return repairJournal({ folder, apply, clock: CLOCK });
}

/** Starts, reads, checks that the account of every stream adds up, appends one more, and starts again. */
async function readAfterRepair(folder: string): Promise<{ texts: string[]; lost: Record<string, number> }> {
  const store = await openStore(folder);
  const result = await readAll(store);
  const last = new Map(store.streams().map((stream) => [stream, [stream.lastMs, stream.lastSeq]]));
  let pending = 0;
  for (const stream of store.streams()) pending += store.pendingCount(stream);
  const lostEntries = Object.values(result.lost).reduce((sum, count) => sum + count, 0);
  expect(pending, 'what is pending can be read, or is told as lost').toBe(result.texts.length + lostEntries);
  append(store, 'orders', 'one more');
  for (const [stream, [ms = 0, seq = 0]] of last) {
    if (stream.name === 'orders') expect(stream.lastMs > ms || stream.lastSeq > seq).toBe(true);
  }
  await store.close();
  const again = await openStore(folder);
  expect((await readAll(again)).texts).toEqual([...result.texts, 'one more']);
  await again.close();
  return result;
}

test('a damaged entry alone is lost, its bytes are kept, and the report names stream, neighbours and copy', async () => {
  const folder = await filledFolder();
  const { file, offset, length } = entriesOf(folder)[20]!;
  flip(file, offset + 45);
  const bytes = readFileSync(file).subarray(offset, offset + length);
  await expect(openStore(folder)).rejects.toMatchObject({ code: 'STORE_DAMAGED' });

  const looked = await repair(folder, false);
  expect(looked.isRepaired).toBe(false);
  await expect(openStore(folder), 'looking changes nothing').rejects.toMatchObject({ code: 'STORE_DAMAGED' });
  expect(existsSync(join(folder, 'damaged'))).toBe(false);

  const report = await repair(folder);
  const copy = join(folder, 'damaged', `${basename(file)}-${offset}.bin`);
  expect(report.damaged).toEqual([
    {
      file,
      offset,
      bytes: length,
      length,
      copy,
      lost: [{ stream: 'orders', count: 1, before: '5000000-12', after: '5000000-14' }],
    },
  ]);
  expect(readFileSync(copy)).toEqual(bytes);
  const { texts, lost } = await readAfterRepair(folder);
  expect(texts).toEqual(ALL.filter((text) => text !== 'entry 20'));
  expect(lost).toEqual({ orders: 1 });
});

test('a repair of a whole journal finds nothing and changes nothing', async () => {
  const folder = await filledFolder();
  const before = segmentsOf(folder).map((file) => readFileSync(file));
  expect(await repair(folder)).toEqual({ damaged: [], tornBytes: 0, isRepaired: false });
  expect(segmentsOf(folder).map((file) => readFileSync(file))).toEqual(before);
});

test('a second repair finds nothing more', async () => {
  const folder = await filledFolder();
  for (const index of [3, 4, 31, 59]) flip(entriesOf(folder)[index]!.file, entriesOf(folder)[index]!.offset + 8);
  expect((await repair(folder)).isRepaired).toBe(true);
  expect((await repair(folder)).damaged).toEqual([]);
  expect((await readAfterRepair(folder)).texts).toHaveLength(56);
});

test('a damaged header in the last segment loses no stream', async () => {
  const folder = await filledFolder();
  const header = recordsOf(folder).findLast(({ kind }) => kind === KIND.segmentHeader)!;
  flip(header.file, header.offset + 50);
  await repair(folder);
  const { texts } = await readAfterRepair(folder);
  expect(texts).toEqual(ALL);
  const store = await openStore(folder);
  expect(store.streams().map(({ name }) => name)).toEqual(['customers', 'orders']);
  await store.close();
});

test('entries whose stream cannot be named any more are delivered all the same', async () => {
  const folder = await filledFolder(6, { segmentBytes: 100_000 });
  for (const { file, offset, kind } of recordsOf(folder)) {
    if (kind === KIND.segmentHeader || kind === KIND.stream) flip(file, offset + 50);
  }
  await repair(folder);
  expect((await readAfterRepair(folder)).texts).toEqual(ALL.slice(0, 6));
});

test('the names of streams that were settled before are known from the state store', async () => {
  const folder = await filledFolder(30, { segmentBytes: 100_000, settled: 6 });
  for (const { file, offset, kind } of recordsOf(folder)) {
    if (kind === KIND.segmentHeader || kind === KIND.stream) flip(file, offset + 50);
  }
  await repair(folder);
  expect((await readAfterRepair(folder)).texts).toEqual(ALL.slice(6, 30));
  const store = await openStore(folder);
  expect(store.streams().map(({ name }) => name)).toEqual(['customers', 'orders']);
  await store.close();
});

test('when every segment is gone, a repair tells so and a start works with ids that go on growing', async () => {
  const folder = await filledFolder(60, { settled: 40 });
  for (const file of segmentsOf(folder)) rmSync(file);
  await expect(openStore(folder)).rejects.toMatchObject({ code: 'STORE_DAMAGED' });
  expect((await repair(folder)).damaged[0]).toMatchObject({ bytes: 0 });
  const store = await openStore(folder);
  append(store, 'orders', 'one more');
  await store.flush();
  expect((await readAll(store)).texts).toEqual(['one more']);
  await store.close();
});

// Seeds that failed once are kept.
const SEEDS = process.env['RDI_SEED'] === undefined ? [5, 21, 24] : [Number(process.env['RDI_SEED'])];

test.each(SEEDS)('the account stays true whatever is damaged, cut off or missing (seed %i)', async (seed) => {
  const random = seededRandom(seed);
  for (let i = 0; i < 150; i++) {
    const settled = random.pick([0, 0, 7, 33, 60]);
    const folder = await filledFolder(60, { settled });
    const expected = ALL.slice(settled);
    const what: string[] = [];
    for (let n = 1 + random.below(4); n > 0; n--) what.push(damageSomething(folder, random));
    const report = await repair(folder).catch((error: Error) => {
      throw new Error(`case ${i}: ${what.join(', ')}`, { cause: error });
    });
    const result = await readAfterRepair(folder).catch((error: Error) => {
      throw new Error(
        `case ${i} (settled ${settled}): ${what.join(', ')}: ${error.message}\n${JSON.stringify(report)}`,
        { cause: error },
      );
    });
    const missing = expected.filter((text) => !result.texts.includes(text));
    expect(result.texts, `case ${i}`).toEqual(expected.filter((text) => !missing.includes(text)));
    const lost = Object.values(result.lost).reduce((sum, count) => sum + count, 0);
    expect(lost).toBeLessThanOrEqual(missing.length);
    // Behind the last header nothing says how much there was; before it, the next header does.
    if (what.every((one) => one.startsWith('flip') && !one.includes(' last'))) {
      expect(lost, `case ${i}: ${what.join(', ')}`).toBe(missing.length);
      expect(missing.length).toBeLessThanOrEqual(what.length);
    }
    rmSync(folder, { recursive: true });
  }
});

function damageSomething(folder: string, random: ReturnType<typeof seededRandom>): string {
  const files = segmentsOf(folder);
  if (files.length === 0) return 'nothing';
  const file = random.pick(files);
  const bytes = readFileSync(file);
  if (bytes.length === 0) return 'nothing';
  const at = random.below(bytes.length);
  const name = file === files.at(-1) ? 'last' : String(files.indexOf(file));
  switch (random.pick(['flip', 'flip', 'flip', 'zero', 'cut', 'remove'])) {
    case 'flip':
      flip(file, at, random.below(8));
      return `flip ${name}@${at}`;
    case 'zero':
      bytes.fill(0, at, Math.min(bytes.length, at + 1 + random.below(800)));
      writeFileSync(file, bytes);
      return `zero ${name}@${at}`;
    case 'cut':
      truncateSync(file, at);
      return `cut ${name}@${at}`;
    default:
      rmSync(file);
      return `remove ${name}`;
  }
}

test('rdi repair lists the damage, repairs with --yes, and refuses a folder that is in use or none', async () => {
  const folder = await filledFolder();
  const { file, offset } = entriesOf(folder)[20]!;
  flip(file, offset + 45);
  const looking = await run('repair', '--data-dir', folder);
  expect(looking.code).toBe(1);
  expect(looking.out).toContain(`${file} at byte ${offset}: 72 bytes damaged`);
  expect(looking.out).toContain('lost: 1 entry of orders, after 5000000-12, before 5000000-14');
  expect(looking.out).toContain('with --yes');
  const json = await run('repair', '--data-dir', folder, '-o', 'json');
  expect(JSON.parse(json.out)).toMatchObject({ isRepaired: false, damaged: [{ offset }] });

  const repaired = await run('repair', '--data-dir', folder, '--yes');
  expect(repaired.code).toBe(0);
  expect(repaired.out).toContain('Repaired 1 place. Start rdi again.');
  expect(readdirSync(join(folder, 'damaged'))).toHaveLength(1);
  expect(await run('repair', '--data-dir', folder)).toMatchObject({
    code: 0,
    out: expect.stringContaining('Nothing is damaged'),
  });

  const store = await openStore(folder);
  expect(await run('repair', '--data-dir', folder)).toMatchObject({
    code: 1,
    err: expect.stringContaining('STORE_LOCKED'),
  });
  await store.close();
  const nowhere = await run('repair', '--data-dir', join(folder, 'nowhere'));
  expect(nowhere).toMatchObject({ code: 1, err: expect.stringContaining('There is no data folder') });
  expect(existsSync(join(folder, 'nowhere'))).toBe(false);
});

async function run(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const terminal = capturedTerminal();
  return { code: await main(args, terminal), ...terminal.printed };
}
