import { isUtf8 } from 'node:buffer';
import { splitBulkStrings } from '../lib/bulk-strings.ts';
import { parseKeepingDigits } from '../lib/exact-json.ts';
import type { DlqStore } from '../streams/types.ts';
import { type ChangeEvent, formatEntryId, type Rejection, type StreamEntry } from '../types.ts';

const FIRST_RETRY_MS = 200;
const LAST_RETRY_MS = 5000;
/** Of a larger entry only the raw texts are kept; rows as JSON would double it. */
const MAX_PARSED_BYTES = 8 << 20;
/** Longer texts are cut; the entry itself is always kept whole beside them. */
const MAX_TEXT_BYTES = 1 << 20;

export interface RejectedEntry {
  readonly entry: StreamEntry;
  readonly rejection: Rejection;
  /** The decoded event; null when the entry could not be decoded. */
  readonly event: ChangeEvent | null;
  /** Key of the target, when a write was refused. */
  readonly targetKey?: string;
}

export interface DlqOptions {
  readonly store: DlqStore;
  /** Records kept per queue; the oldest go first. */
  readonly maxRecords: number;
  readonly now: () => number;
  readonly onStoreFailed: (error: Error) => void;
}

/** Writes rejected entries into the store's dead letter queues. */
export class Dlq {
  readonly #options: DlqOptions;

  constructor(options: DlqOptions) {
    this.#options = options;
  }

  /**
   * Stores the records, repeating until the store takes them or `signal` ends the wait; then it rejects, and the
   * entries stay unsettled.
   */
  async add(rejected: readonly RejectedEntry[], signal: AbortSignal): Promise<void> {
    const { store, maxRecords, now, onStoreFailed } = this.#options;
    const timestamp = new Date(now()).toISOString();
    const records = rejected.map((one) => ({
      stream: one.entry.stream.name,
      fields: describe(one, timestamp),
      entry: one.entry.bytes.subarray(one.entry.start, one.entry.end),
    }));
    for (let delay = FIRST_RETRY_MS; ; delay = Math.min(LAST_RETRY_MS, delay * 2)) {
      try {
        store.add(records, maxRecords);
        return;
      } catch (error) {
        signal.throwIfAborted();
        onStoreFailed(error as Error);
        await new Promise((resolve) => setTimeout(resolve, delay));
      }
    }
  }
}

function describe({ entry, rejection, event, targetKey }: RejectedEntry, timestamp: string): Record<string, string> {
  const parts = splitBulkStrings(entry.bytes, entry.start, entry.end);
  const { key, value } = keyAndValue(parts);
  const table = event?.table;
  const fields: Record<string, string | undefined> = {
    reason_rejected: `${rejection.code}: ${rejection.reason}`,
    code: rejection.code,
    timestamp,
    opcode: event?.op ?? '',
    server_name: table?.serverName,
    source: table?.serverName,
    source_type: table?.connector,
    db: table?.db,
    schema: table?.schema,
    table: table?.table,
    stream: entry.stream.name,
    entry_id: formatEntryId(entry),
    ...(entry.end - entry.start > MAX_PARSED_BYTES ? {} : rowsOf(key, value)),
    raw_key: text(key),
    raw_value: text(value),
    cut: cutNote(value) ?? cutNote(key),
    ...(rejection.origin
      ? {
          job: rejection.origin.job,
          step: rejection.origin.step,
          expression: rejection.origin.expression,
          error: rejection.reason,
        }
      : {}),
    target: targetKey,
  };
  return Object.fromEntries(Object.entries(fields).filter((pair): pair is [string, string] => Boolean(pair[1])));
}

/** Extended format has fields `key` and `value`; compact has one pair, the key as its name. */
function keyAndValue(parts: readonly Buffer[]): { key: Buffer | undefined; value: Buffer | undefined } {
  if (parts.length === 2 && !['key', 'value'].includes(String(parts[0]))) return { key: parts[0], value: parts[1] };
  const find = (name: string) => parts.find((_part, i) => i % 2 === 1 && parts[i - 1]?.equals(Buffer.from(name)));
  const known = { key: find('key'), value: find('value') };
  return known.value
    ? known
    : { key: known.key, value: parts.length > 0 ? Buffer.concat(parts as Buffer[]) : undefined };
}

function text(whole: Buffer | undefined): string | undefined {
  if (!whole) return undefined;
  const bytes = whole.subarray(0, MAX_TEXT_BYTES);
  return isUtf8(bytes) ? bytes.toString('utf8') : `base64:${bytes.toString('base64')}`;
}

function cutNote(bytes: Buffer | undefined): string | undefined {
  if (!bytes || bytes.length <= MAX_TEXT_BYTES) return undefined;
  return `only the first ${MAX_TEXT_BYTES} of ${bytes.length} bytes are shown; the whole entry is kept`;
}

/** Key and rows as JSON with the digits that were sent, as far as the entry is an envelope. */
function rowsOf(key: Buffer | undefined, value: Buffer | undefined): { key?: string; before?: string; after?: string } {
  const keyTree = payload(key);
  const tree = payload(value) as { before?: unknown; after?: unknown } | undefined;
  return {
    ...(keyTree === undefined ? {} : { key: JSON.stringify(keyTree) }),
    ...(tree?.before ? { before: JSON.stringify(tree.before) } : {}),
    ...(tree?.after ? { after: JSON.stringify(tree.after) } : {}),
  };
}

function payload(bytes: Buffer | undefined): unknown {
  if (!bytes || !isUtf8(bytes)) return undefined;
  try {
    const tree = parseKeepingDigits(bytes.toString('utf8'));
    if (typeof tree !== 'object' || tree === null) return undefined;
    return 'schema' in tree && 'payload' in tree ? tree.payload : tree;
  } catch {
    return undefined;
  }
}
