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

interface Checked {
  readonly server: { readonly dir: string };
  readonly feeder: { readonly fold: Fold; readonly resent: readonly Resent[] };
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
 * `isCut` says that connections of one life were cut: then a write in doubt may be executed in part, and again as a whole.
 */
export function checkOrder({ server, feeder }: Checked, options: { isCut?: boolean } = {}): OrderReport {
  const order = new ExecutedOrder(feeder.fold, feeder.resent, options.isCut ?? false);
  for (const words of commandsOf(server.dir)) order.execute(words);
  return order;
}

/** Follows each key through the executed commands, by the versions of its rows. */
class ExecutedOrder implements OrderReport {
  readonly violations: string[] = [];
  writes = 0;
  livesThatRepeated = 0;
  readonly #fold: Fold;
  readonly #resent: readonly Resent[];
  readonly #isCut: boolean;
  /** Version that a key had before its last delete, as long as no row followed. */
  readonly #beforeDelete = new Map<string, number>();
  /** Newest version that each key has had in this life, and ever; that of its delete where it was deleted. */
  #inLife = new Map<string, number>();
  readonly #ever = new Map<string, number>();
  #hasRepeated = false;
  /** Key of a delete that was the last command. */
  #deleted: string | undefined;

  constructor(fold: Fold, resent: readonly Resent[], isCut: boolean) {
    this.#fold = fold;
    this.#resent = resent;
    this.#isCut = isCut;
  }

  execute([name, key = '', ...rest]: readonly string[]): void {
    const version = name === 'HSET' ? Number(rest[rest.indexOf('v') + 1]) : Number.NaN;
    const deleted = this.#deleted;
    this.#deleted = undefined;
    // A delete and the row after it are one write when both concern one key; in doubt it is executed as a whole again.
    if (deleted !== undefined && !(deleted === key && version === this.#inLife.get(key))) this.#delete(deleted);
    if (key === LIFE_MARK) {
      this.#inLife = new Map();
      this.#hasRepeated = false;
    } else if (name === 'DEL') this.#deleted = key;
    else if (name === 'HSET') this.#write(key, version);
  }

  #write(key: string, version: number): void {
    this.writes++;
    const before = this.#inLife.get(key) ?? 0;
    // Which delete it was is a guess; what the key was before it is not.
    const known = this.#beforeDelete.get(key) ?? before;
    const isStoredTwice = this.#resent.some(({ first, last }) => first <= version && known <= last);
    const isSecondHalf = this.#isCut && known === version;
    if (version < before && !isStoredTwice && !isSecondHalf) {
      this.violations.push(`${key} went from version ${before} back to ${version}`);
    }
    this.#inLife.set(key, version);
    this.#beforeDelete.delete(key);
    const newest = this.#ever.get(key) ?? 0;
    if (version <= newest && !this.#hasRepeated) {
      this.#hasRepeated = true;
      this.livesThatRepeated++;
    }
    this.#ever.set(key, Math.max(version, newest));
  }

  /** The command does not say which delete it was: the next one in the key's history is assumed. */
  #delete(key: string): void {
    const before = this.#inLife.get(key) ?? 0;
    const version = this.#fold.history.get(key)?.find((change) => change < 0 && -change > before);
    this.#beforeDelete.set(key, before);
    if (version !== undefined) this.#inLife.set(key, -version);
  }
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
