import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { EmbeddedStore, type StoredStream } from '../../src/streams/index.ts';
import { HEADER_BYTES, KIND } from '../../src/streams/record-format.ts';
import { bulkStrings } from './bulk-strings.ts';
import { pretendReserve, tempFolder } from './temp-folder.ts';

export const CLOCK = { now: () => 5_000_000, elapsed: () => 0 };

/** Opens a store with small segments on a folder. */
export function openStore(folder: string, segmentBytes = 2000): Promise<EmbeddedStore> {
  return EmbeddedStore.open({
    folder,
    clock: CLOCK,
    diskLimitBytes: 2 ** 30,
    tailBytes: 0,
    segmentBytes,
    blockBytes: 1024,
    onNotice: () => {},
  });
}

/** A record of a segment file, found by its own header. */
export interface RecordPlace {
  readonly file: string;
  readonly offset: number;
  readonly length: number;
  readonly position: number;
  readonly kind: number;
  readonly stream: number;
}

/** A folder with entries in several segments, closed. Entry `i` holds the text `entry i`. */
export async function filledFolder(
  count = 60,
  options: { settled?: number; segmentBytes?: number } = {},
): Promise<string> {
  const folder = tempFolder({ inMemory: true });
  mkdirSync(folder, { recursive: true });
  pretendReserve(folder);
  const store = await openStore(folder, options.segmentBytes);
  for (let i = 0; i < count; i++) {
    append(store, i % 3 === 0 ? 'customers' : 'orders', `entry ${i}`);
    if (i % 4 === 3) await store.flush();
  }
  await store.flush();
  if (options.settled) await settleFirst(store, options.settled);
  await store.close();
  return folder;
}

export function append(store: EmbeddedStore, stream: string, text: string): void {
  const bytes = bulkStrings('value', text);
  store.append(store.stream(0, stream), 0, false, bytes, 0, bytes.length, 2);
}

/** Settles the first so many entries as written. */
export async function settleFirst(store: EmbeddedStore, count: number): Promise<void> {
  const counters = new Map<StoredStream, ReturnType<typeof written>>();
  const reader = store.reader(store.checkpoint.position, () => true, true);
  for (let i = 0; i < count; i++) {
    const [entry] = (await reader.next({ entries: 1, bytes: 1 << 20 }))?.entries ?? [];
    if (!entry) throw new Error('There are fewer entries.');
    const stream = entry.stream as StoredStream;
    counters.set(stream, written((counters.get(stream)?.written ?? 0) + 1));
  }
  await store.settle({ position: reader.position, behind: new Map(), counters });
}

function written(count: number) {
  return { written: count, filtered: 0, superseded: 0, rejected: 0, skipped: 0, inserted: 0, updated: 0, deleted: 0 };
}

/** Texts of all entries that are not settled, as a new process reads them, and what it is told is lost. */
export async function readAll(store: EmbeddedStore): Promise<{ texts: string[]; lost: Record<string, number> }> {
  const reader = store.reader(store.checkpoint.position, () => true, true);
  const texts: string[] = [];
  const lost: Record<string, number> = {};
  for (
    let batch = await reader.next({ entries: 10, bytes: 1 << 20 });
    batch;
    batch = await reader.next({ entries: 10, bytes: 1 << 20 })
  ) {
    for (const { bytes, start, end } of batch.entries)
      texts.push(String(bytes.subarray(start, end)).split('\r\n')[3] ?? '');
    for (const { stream, count } of batch.lost ?? []) lost[stream.name] = (lost[stream.name] ?? 0) + count;
  }
  return { texts, lost };
}

export function segmentsOf(folder: string): string[] {
  const journal = join(folder, 'journal');
  return readdirSync(journal)
    .filter((name) => name.endsWith('.journal'))
    .sort()
    .map((name) => join(journal, name))
    .filter((file) => statSync(file).isFile());
}

/** All records of a folder's journal, which must be whole. */
export function recordsOf(folder: string): RecordPlace[] {
  const records: RecordPlace[] = [];
  for (const file of segmentsOf(folder)) {
    const bytes = readFileSync(file);
    for (let offset = 0; offset + HEADER_BYTES <= bytes.length; ) {
      const length = HEADER_BYTES + ((bytes.readUInt32LE(offset) + 7) & ~7);
      const kind = bytes.readUInt8(offset + 39) & 15;
      const [position, stream] = [bytes.readDoubleLE(offset + 8), bytes.readUInt32LE(offset + 28)];
      records.push({ file, offset, length, position, kind, stream });
      offset += length;
    }
  }
  return records;
}

export function entriesOf(folder: string): RecordPlace[] {
  return recordsOf(folder).filter(({ kind }) => kind === KIND.entry);
}

export function flip(file: string, offset: number, bit = 0): void {
  const bytes = readFileSync(file);
  bytes.writeUInt8(bytes.readUInt8(offset) ^ (1 << bit), offset);
  writeFileSync(file, bytes);
}
