import { copyFileSync, cpSync, mkdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { xxh32 } from '../../../src/lib/xxh32.ts';
import { FORMAT_VERSION, KIND } from '../../../src/streams/record-format.ts';
import {
  entriesOf,
  filledFolder,
  flip,
  openStore,
  readAll,
  recordsOf,
  segmentsOf,
} from '../../helpers/damaged-journal.ts';
import { seededRandom } from '../../helpers/random.ts';
import { tempFolder } from '../../helpers/temp-folder.ts';

const ALL = Array.from({ length: 60 }, (_, i) => `entry ${i}`);

/** What a start and reading everything lead to: the texts, or the error. */
async function startAndRead(folder: string): Promise<string[] | Error> {
  try {
    const store = await openStore(folder);
    try {
      return (await readAll(store)).texts;
    } finally {
      await store.close();
    }
  } catch (error) {
    return error as Error;
  }
}

function copyOf(folder: string): string {
  const copy = tempFolder({ inMemory: true });
  cpSync(folder, copy, { recursive: true });
  return copy;
}

describe('a journal that was closed', () => {
  test('reads back whole', async () => {
    expect(await startAndRead(await filledFolder())).toEqual(ALL);
  });

  test('with one flipped bit anywhere in an entry does not start, and names file, place and command', async () => {
    const folder = await filledFolder();
    const random = seededRandom(11);
    const entries = entriesOf(folder);
    for (let i = 0; i < 100; i++) {
      const copy = copyOf(folder);
      const { file, offset, length } = random.pick(entries);
      // Every bit of the length, then any.
      const at = offset + (i < 32 ? i >> 3 : random.below(length));
      const name = join(copy, 'journal', basename(file));
      flip(name, at, i < 32 ? i & 7 : random.below(8));
      const result = await startAndRead(copy);
      expect(result, `byte ${at} of ${basename(file)}`).toMatchObject({ code: 'STORE_DAMAGED' });
      const { message } = result as Error;
      expect(message).toContain(`${name} at byte ${offset}`);
      expect(message).toContain(`rdi repair --data-dir ${copy}`);
      rmSync(copy, { recursive: true });
    }
  });

  test('cut off at any place of its last segment does not start, or loses only what says that it was whole', async () => {
    const folder = await filledFolder(12, { segmentBytes: 2000 });
    const last = segmentsOf(folder).at(-1)!;
    const texts = ALL.slice(0, 12);
    const lastRecord = recordsOf(folder).at(-1)!;
    for (let size = 0; size <= lastRecord.offset + lastRecord.length; size += size % 40 === 0 ? 1 : 39) {
      const copy = copyOf(folder);
      truncateSync(join(copy, 'journal', basename(last)), size);
      const result = await startAndRead(copy);
      if (size >= lastRecord.offset) expect(result).toEqual(texts);
      else expect(result, `cut at ${size}`).toMatchObject({ code: 'STORE_DAMAGED' });
      rmSync(copy, { recursive: true });
    }
  });

  test.each([
    ['its first segment missing', 0],
    ['a segment in the middle missing', 1],
    ['its last segment missing', -1],
  ])('with %s does not start', async (_what, index) => {
    const folder = await filledFolder();
    rmSync(segmentsOf(folder).at(index)!);
    expect(await startAndRead(folder)).toMatchObject({ code: 'STORE_DAMAGED' });
  });

  test.each([0, 1, -1])('with segment %i empty does not start', async (index) => {
    const folder = await filledFolder();
    truncateSync(segmentsOf(folder).at(index)!, 0);
    expect(await startAndRead(folder)).toMatchObject({ code: 'STORE_DAMAGED' });
  });

  test('with bytes behind the place where the next segment begins is whole: they were taken back', async () => {
    const folder = await filledFolder();
    const [first] = segmentsOf(folder);
    writeFileSync(first!, Buffer.concat([readFileSync(first!), seededRandom(1).bytes(333)]));
    expect(await startAndRead(folder)).toEqual(ALL);
  });

  test('with garbage behind its end loses only the garbage', async () => {
    const folder = await filledFolder();
    const last = segmentsOf(folder).at(-1)!;
    writeFileSync(last, Buffer.concat([readFileSync(last), seededRandom(2).bytes(5000)]));
    expect(await startAndRead(folder)).toEqual(ALL);
    expect(await startAndRead(folder)).toEqual(ALL);
  });

  test('with a damaged header in its last segment does not start', async () => {
    const folder = await filledFolder();
    flip(segmentsOf(folder).at(-1)!, 50);
    expect(await startAndRead(folder)).toMatchObject({ code: 'STORE_DAMAGED' });
  });

  test('with damage in what is settled starts: nobody needs it', async () => {
    const folder = await filledFolder(60, { settled: 30 });
    const { file, offset } = entriesOf(folder)[0]!;
    flip(file, offset + 45);
    expect(await startAndRead(folder)).toEqual(ALL.slice(30));
  });

  test('without a settled segment in the middle starts: deletions reach the disk in any order', async () => {
    const folder = await filledFolder(60, { settled: 45 });
    const kept = tempFolder({ inMemory: true });
    mkdirSync(join(kept, 'journal'));
    const old = await filledFolder(60);
    copyFileSync(segmentsOf(old)[0]!, join(folder, 'journal', basename(segmentsOf(old)[0]!)));
    expect(await startAndRead(folder)).toEqual(ALL.slice(45));
  });

  test('of a newer format is left alone, and says which rdi to start', async () => {
    const folder = await filledFolder(4);
    const header = recordsOf(folder).find(({ kind }) => kind === KIND.segmentHeader)!;
    const bytes = readFileSync(header.file);
    const text = `"version":${FORMAT_VERSION}`;
    bytes.write(text.replace(/\d$/, '9'), bytes.indexOf(text));
    resum(bytes, header.offset, header.length);
    writeFileSync(header.file, bytes);
    expect(await startAndRead(folder)).toMatchObject({ code: 'STORE_FAILED', fix: expect.stringContaining('version') });
  });
});

function resum(bytes: Buffer, offset: number, length: number): void {
  const words = new Int32Array(bytes.buffer.slice(bytes.byteOffset + offset, bytes.byteOffset + offset + length));
  bytes.writeUInt32LE((xxh32(words, 2, words.length) ^ (words[0] ?? 0)) >>> 0, offset + 4);
}
