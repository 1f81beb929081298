import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Redis } from 'ioredis';
import type { Resent } from './feeder.ts';
import type { Fields, Fold } from './workload.ts';

const MOST_DIFFERENCES = 20;
const LIFE_MARK = 'life';

/** Differences between the target's hashes and the rows that it must hold, in words; empty when there are none. */
export async function differences(target: Redis, rows: ReadonlyMap<string, Fields>): Promise<string[]> {
  return compareRows(await readHashes(target), rows);
}

/** The same for hashes that were read before. */
export function compareRows(found: ReadonlyMap<string, Fields>, rows: ReadonlyMap<string, Fields>): string[] {
  const said: string[] = [];
  for (const key of found.keys())
    if (!rows.has(key)) said.push(`${key} must not be there: it was deleted, or never was`);
  for (const [key, fields] of rows) {
    const hash = found.get(key);
    if (!hash) said.push(`${key} is missing`);
    else if (!isSame(hash, fields)) said.push(`${key} is ${shown(hash)} instead of ${shown(fields)}`);
  }
  return said.length > MOST_DIFFERENCES ? [...said.slice(0, MOST_DIFFERENCES), `and ${said.length} in all`] : said;
}

/** Every hash of the target. */
export async function readHashes(target: Redis): Promise<Map<string, Fields>> {
  const keys = (await target.keys('*')).filter((key) => key !== LIFE_MARK);
  const hashes = new Map<string, Fields>();
  for (let start = 0; start < keys.length; start += 500) {
    const page = keys.slice(start, start + 500);
    const found = await Promise.all(page.map((key) => target.hgetall(key)));
    for (const [index, hash] of found.entries()) hashes.set(page[index] as string, new Map(Object.entries(hash)));
  }
  return hashes;
}

function isSame(found: Fields, wanted: Fields): boolean {
  return found.size === wanted.size && [...wanted].every(([name, value]) => found.get(name) === value);
}

function shown(fields: Fields): string {
  return JSON.stringify(Object.fromEntries(fields)).slice(0, 300);
}

/** Notes in the target's append-only file that a new life of rdi begins; nothing of the old one may come after. */
export async function markLife(target: Redis, life: number): Promise<void> {
  const deadline = performance.now() + 20_000;
  while (/ name=rdi /.test((await target.client('LIST')) as string)) {
    if (performance.now() > deadline) throw new Error('The target still has the connection of a process that is gone.');
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  await target.set(LIFE_MARK, life);
}

/** What an append-only file tells of the order in which writes were executed. */
export interface OrderReport {
  /** A key that went back to an older state within one life of rdi, in words. */
  readonly violations: string[];
  /** Rows written. */
  readonly writes: number;
  /** Lives that began by writing something that an earlier life had written already. */
  readonly livesThatRepeated: number;
}

/**
 * Reads the target's append-only file: every write it executed, in order. Within one life of rdi no key may go back to an
 * older state; only the journal itself may hold changes twice, where a sub-batch was sent again and not recognised.
 */
export function checkOrder(folder: string, fold: Fold, resent: readonly Resent[]): OrderReport {
  const violations: string[] = [];
  const newestEver = new Map<string, number>();
  let inLife = new Map<string, number>();
  let writes = 0;
  let livesThatRepeated = 0;
  let hasRepeated = false;
  for (const [name, key, ...rest] of commandsOf(folder)) {
    if (key === LIFE_MARK) {
      inLife = new Map();
      hasRepeated = false;
    } else if (name === 'HSET' && key !== undefined) {
      writes++;
      const version = Number(rest[rest.indexOf('v') + 1]);
      const before = inLife.get(key) ?? 0;
      if (version < before && !isInOne(resent, version, before)) {
        violations.push(`${key} went from version ${before} back to ${version}`);
      }
      inLife.set(key, version);
      if (version <= (newestEver.get(key) ?? 0) && !hasRepeated) {
        hasRepeated = true;
        livesThatRepeated++;
      }
      newestEver.set(key, Math.max(version, newestEver.get(key) ?? 0));
    } else if (name === 'DEL' && key !== undefined) {
      const before = inLife.get(key) ?? 0;
      const deleted = fold.history.get(key)?.find((version) => version < 0 && -version > before);
      if (deleted !== undefined) inLife.set(key, -deleted);
    }
  }
  return { violations, writes, livesThatRepeated };
}

function isInOne(resent: readonly Resent[], low: number, high: number): boolean {
  return resent.some(({ first, last }) => first <= low && high <= last);
}

/** The commands of an append-only file, as words, in the order of execution. */
function* commandsOf(folder: string): Generator<string[]> {
  const files = readdirSync(join(folder, 'appendonlydir')).filter((name) => name.endsWith('.incr.aof'));
  for (const file of files.sort()) {
    const bytes = readFileSync(join(folder, 'appendonlydir', file));
    let at = 0;
    while (at < bytes.length) {
      const words: string[] = [];
      let end = bytes.indexOf(10, at);
      const count = Number(bytes.latin1Slice(at + 1, end - 1));
      at = end + 1;
      for (let word = 0; word < count; word++) {
        end = bytes.indexOf(10, at);
        const length = Number(bytes.latin1Slice(at + 1, end - 1));
        words.push(bytes.utf8Slice(end + 1, end + 1 + length));
        at = end + 1 + length + 2;
      }
      yield words;
    }
  }
}
