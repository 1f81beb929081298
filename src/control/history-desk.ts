import { OUTCOME } from '../checkpoint/index.ts';
import { Decoder } from '../decode/index.ts';
import type { BatchReport } from '../pipeline.ts';
import type { EmbeddedStore, StoredStream } from '../streams/index.ts';
import type { LookupReader } from '../transform/index.ts';
import type { StreamEntry } from '../types.ts';
import { HistoryLookups } from './history-lookups.ts';
import type { HistoryControl, HistoryOptions, RunningPipeline, TracedEntry } from './operations.ts';

type HistoryStore = Pick<EmbeddedStore, 'history' | 'historyReader' | 'isSettled' | 'streams' | 'durable'>;

export interface HistoryDeskOptions {
  /** The store that is open now: a reset opens another one. */
  readonly store: () => HistoryStore;
  /** What runs now; null while nothing is deployed. */
  readonly current: () => RunningPipeline | null;
}

const READ = { entries: 2000, bytes: 1 << 20 };
/** What waits for one follower; what comes beyond is left out. */
const MAX_WAITING_ENTRIES = 1000;
const MAX_WAITING_BYTES = 8 << 20;
/** A delete is followed by a tombstone, which is no change: so many entries are looked at for each one that is wanted. */
const RECENT_FACTOR = 2;
const RECENT_SLACK = 20;
/** So much of the journal is searched for the newest changes. */
const RECENT_BYTES = 256 << 20;

const OUTCOMES: Readonly<Record<number, TracedEntry['outcome']>> = {
  [OUTCOME.written]: 'written',
  [OUTCOME.filtered]: 'filtered',
  [OUTCOME.superseded]: 'superseded',
  [OUTCOME.rejected]: 'rejected',
  [OUTCOME.skipped]: 'skipped',
};

/** Shows people what is in the journal and what is settled now. Costs the path nothing while nobody looks. */
export class HistoryDesk implements HistoryControl {
  readonly #currentStore: () => HistoryStore;
  readonly #lookups: HistoryLookups;
  readonly #followers = new Set<Follower>();
  /** Arrival of the first entry of the segment that was the oldest when it was read. */
  #oldest: { store: HistoryStore; position: number; ms: number | null } | null = null;

  constructor({ store, current }: HistoryDeskOptions) {
    this.#currentStore = store;
    this.#lookups = new HistoryLookups(() => current()?.pipeline ?? null);
  }

  get #store(): HistoryStore {
    return this.#currentStore();
  }

  get since(): number | null {
    void this.#learnOldest();
    return this.#oldest?.ms ?? null;
  }

  /** One for each target of the deployed configuration; connected when it is first asked. */
  get lookups(): ReadonlyMap<string, LookupReader> {
    return this.#lookups.readers();
  }

  isSettled(entry: StreamEntry): boolean {
    return this.#store.isSettled(entry);
  }

  async *entries(options: HistoryOptions): AsyncGenerator<StreamEntry> {
    const { fromMs = 0, stream: name, onProgress, onDamaged = () => {} } = options;
    await this.#learnOldest();
    const store = this.#store;
    const from = startOf(store, fromMs);
    const until = store.durable;
    const wanted = (stream: StoredStream) => name === undefined || stream.name === name;
    const reader = store.historyReader(from, wanted, onDamaged);
    while (reader.position < until) {
      const batch = await reader.next(READ);
      if (!batch) return;
      onProgress?.(Math.min(1, (reader.position - from) / Math.max(1, until - from)));
      for (const entry of batch.entries) {
        if (entry.position >= until) return;
        if (entry.ms >= fromMs) yield entry;
      }
      // The path goes first: whoever looks waits for a turn after every batch.
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  async recent({ stream, limit }: { readonly stream?: string; readonly limit: number }): Promise<StreamEntry[]> {
    const decoder = new Decoder({ onWarning: () => {} });
    const found: StreamEntry[] = [];
    const { history, durable } = this.#store;
    let end = durable;
    for (const { position } of history.toReversed()) {
      const newest = await this.#newestOf(position, end, stream, RECENT_SLACK + limit * RECENT_FACTOR);
      // In the order of arrival, because a decoder learns from what it sees.
      const changes = newest.filter((entry) => decoder.decode(entry).kind === 'change').map(ownCopy);
      found.push(...changes.toReversed());
      if (found.length >= limit || durable - position >= RECENT_BYTES) break;
      end = position;
    }
    return found.slice(0, limit);
  }

  async *follow(signal: AbortSignal): AsyncGenerator<TracedEntry> {
    const follower = new Follower();
    const wake = () => follower.wake();
    signal.addEventListener('abort', wake);
    this.#followers.add(follower);
    try {
      while (!signal.aborted) {
        const next = follower.take();
        if (next) yield next;
        else await follower.arrival;
      }
    } finally {
      this.#followers.delete(follower);
      signal.removeEventListener('abort', wake);
    }
  }

  /** Takes note of a settled batch, for those who follow. The bytes are copied. */
  settled({ passage }: BatchReport): void {
    if (this.#followers.size === 0) return;
    const { entries, events, outcomes } = passage;
    const settledAt = Date.now();
    for (const [i, entry] of entries.entries()) {
      const outcome = OUTCOMES[outcomes[i] as number];
      if (outcome === undefined) continue;
      for (const follower of this.#followers) {
        if (follower.hasRoomFor(entry)) {
          follower.put({ entry: ownCopy(entry), event: events[i] ?? null, outcome, settledAt });
        }
      }
    }
  }

  /** Ends the connections to targets. */
  close(): void {
    this.#lookups.close();
    for (const follower of this.#followers) follower.wake();
  }

  /** The last `count` entries of each stream between two positions, in the order of arrival. */
  async #newestOf(from: number, until: number, name: string | undefined, count: number): Promise<StreamEntry[]> {
    const positions = new Map<unknown, number[]>();
    const wanted = (stream: StoredStream) => name === undefined || stream.name === name;
    const isBefore = (_stream: StoredStream, position: number) => position < until;
    const first = this.#store.historyReader(
      from,
      (stream, at) => wanted(stream) && isBefore(stream, at),
      () => {},
    );
    while (first.position < until) {
      const batch = await first.next(READ);
      if (!batch) break;
      for (const { stream, position } of batch.entries) {
        const known = positions.get(stream);
        if (known === undefined) positions.set(stream, [position]);
        else {
          known.push(position);
          if (known.length > 2 * count) known.splice(0, known.length - count);
        }
      }
      await new Promise((resolve) => setImmediate(resolve));
    }
    const chosen = new Set([...positions.values()].flatMap((list) => list.slice(-count)));
    if (chosen.size === 0) return [];
    const start = Math.min(...chosen);
    const reader = this.#store.historyReader(
      start,
      (_stream, position) => chosen.has(position),
      () => {},
    );
    const entries: StreamEntry[] = [];
    while (entries.length < chosen.size && reader.position < until) {
      const batch = await reader.next(READ);
      if (!batch) break;
      entries.push(...batch.entries.map(ownCopy));
    }
    return entries;
  }

  /** Reads when the oldest entry arrived, when another segment has become the oldest. */
  async #learnOldest(): Promise<void> {
    const store = this.#store;
    const [first] = store.history;
    if (first === undefined) this.#oldest = null;
    const isKnown = this.#oldest?.store === store && this.#oldest.position === first?.position;
    if (first === undefined || (isKnown && this.#oldest?.ms !== null)) return;
    const reader = store.historyReader(
      first.position,
      () => true,
      () => {},
    );
    try {
      const batch = await reader.next({ entries: 1, bytes: READ.bytes });
      this.#oldest = { store, position: first.position, ms: batch?.entries[0]?.ms ?? null };
    } catch {
      // A disk that does not answer is told of by the engine.
    }
  }
}

/** The first segment that may hold entries from `fromMs` on. */
function startOf({ history, durable }: HistoryStore, fromMs: number): number {
  return history.find(({ endedMs }) => endedMs === null || endedMs >= fromMs)?.position ?? durable;
}

/** The entry with bytes of its own, so that no block of the journal stays in memory because of it. */
function ownCopy(entry: StreamEntry): StreamEntry {
  const bytes = Buffer.from(entry.bytes.subarray(entry.start, entry.end));
  return { ...entry, bytes, start: 0, end: bytes.length };
}

/** Settled entries that wait for one person who follows. */
class Follower {
  #waiting: TracedEntry[] = [];
  #bytes = 0;
  #arrived = Promise.withResolvers<void>();

  /** Resolves when there is something to take. */
  get arrival(): Promise<void> {
    return this.#arrived.promise;
  }

  hasRoomFor({ start, end }: StreamEntry): boolean {
    const isEmpty = this.#waiting.length === 0;
    return isEmpty || (this.#waiting.length < MAX_WAITING_ENTRIES && this.#bytes + end - start <= MAX_WAITING_BYTES);
  }

  put(traced: TracedEntry): void {
    this.#waiting.push(traced);
    this.#bytes += traced.entry.end;
    this.wake();
  }

  take(): TracedEntry | undefined {
    const next = this.#waiting.shift();
    if (next) this.#bytes -= next.entry.end;
    else this.#arrived = Promise.withResolvers<void>();
    return next;
  }

  wake(): void {
    this.#arrived.resolve();
  }
}
