import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { ConfigError } from '../errors.ts';
import { isDataEntry, type RecordedCommand, readCommands } from '../replay/index.ts';
import { ExpressionError, type JobObject, type JobValue } from '../transform/expressions/types.ts';
import { compactJson, parseJson } from '../transform/expressions/values.ts';
import type { Stream, StreamEntry } from '../types.ts';
import { readEvent } from './test-file.ts';
import type { GivenEvent } from './types.ts';
import { parseTree } from './yaml-tree.ts';

/** Members of a change in short form, as job tests write it. */
const SHORT: ReadonlySet<string> = new Set([
  'table',
  'op',
  'key',
  'before',
  'after',
  'server_name',
  'db',
  'schema',
  'connector',
]);
/** Members of a line that holds a key and a value, as consumers of topics print them. */
const PAIR: ReadonlySet<string> = new Set(['key', 'value', 'headers', 'topic', 'partition', 'offset', 'timestamp']);
/** Connectors whose databases have no schemas. */
const WITHOUT_SCHEMA: ReadonlySet<string> = new Set(['mysql', 'mariadb', 'mongodb']);
/** Stream of values that do not say where they come from. */
const NO_STREAM = 'data:rdi.rehearsal';

/** Makes stream entries as a feeder would have sent them, so that they are decoded like any other. */
export class Entries {
  readonly #streams = new Map<string, Stream>();
  #count = 0;

  /** A change in the short form, as a schema-less Debezium event. */
  ofGiven({ table, op, key, before, after, source: given }: GivenEvent): StreamEntry {
    const connector = given.get('connector') ?? 'postgresql';
    const source: JobObject = new Map<string, JobValue>([
      ['connector', connector],
      ['name', 'rdi'],
      ['db', 'shop'],
    ]);
    if (!WITHOUT_SCHEMA.has(connector)) source.set('schema', 'public');
    for (const [name, value] of given) source.set(name, value);
    source.set('table', table);
    const value: JobObject = new Map<string, JobValue>([
      ['before', before],
      ['after', after],
      ['source', source],
    ]);
    value.set('op', op);
    const stream = `data:${['name', 'db', 'schema'].map((name) => textOf(source.get(name))).join('.')}.${table}`;
    return this.ofTexts(stream, [
      ['key', key === null ? 'default' : compactJson(key)],
      ['value', compactJson(value)],
    ]);
  }

  /**
   * An event as JSON in one of these forms: the short form; `{key, value}`, both as JSON or as texts of it; a recorded
   * entry `{stream, fields: [[name, value], …]}`; else the value alone.
   */
  ofJson(text: string, where: string): StreamEntry {
    const value = parse(text, where);
    if (!(value instanceof Map)) throw notAnEvent(where, 'it is not a JSON object');
    if (isRecorded(value)) {
      const fields = value.get('fields') as [string, string][];
      return this.ofTexts(value.get('stream') as string, fields);
    }
    if (value.has('value') && hasOnly(value, PAIR)) {
      const topic = value.get('topic');
      return this.ofTexts(typeof topic === 'string' ? `data:${topic}` : NO_STREAM, [
        ['key', partText(value.get('key'))],
        ['value', partText(value.get('value'))],
      ]);
    }
    if (value.has('table') && value.has('op') && hasOnly(value, SHORT)) {
      return this.ofGiven(readEvent(where, parseTree(where, text)));
    }
    return this.ofTexts(NO_STREAM, [
      ['key', 'default'],
      ['value', compactJson(value)],
    ]);
  }

  /** The entry of a recorded `XADD stream id name value …`, byte for byte. */
  ofCommand({ bytes, key }: RecordedCommand): StreamEntry {
    const parts = Number(bytes.toString('latin1', 1, bytes.indexOf(0x0d)));
    let at = bytes.indexOf(0x0a) + 1;
    for (let skipped = 0; skipped < 3; skipped++) {
      const lineEnd = bytes.indexOf(0x0a, at);
      at = lineEnd + 1 + Number(bytes.toString('latin1', at + 1, lineEnd - 1)) + 2;
    }
    return this.#entry(key, bytes, at, parts - 3);
  }

  /** An entry of fields as texts. */
  ofTexts(stream: string, fields: readonly (readonly [string, string])[]): StreamEntry {
    const parts = fields.flat().map((text) => `$${Buffer.byteLength(text)}\r\n${text}\r\n`);
    return this.#entry(stream, Buffer.from(parts.join('')), 0, fields.length * 2);
  }

  #entry(streamName: string, bytes: Buffer, start: number, fieldCount: number): StreamEntry {
    let stream = this.#streams.get(streamName);
    if (stream === undefined) {
      stream = { number: this.#streams.size, db: 0, name: streamName };
      this.#streams.set(streamName, stream);
    }
    const position = this.#count++;
    return { stream, ms: 0, seq: position, position, bytes, start, end: bytes.length, fieldCount };
  }
}

/**
 * The entries of a file, in order and read as they are asked for: a recording of a client (`…client.resp`), JSON events one
 * per line, or one JSON event or list of events over several lines; each also gzipped.
 *
 * @throws ConfigError when the file cannot be read, or holds something else
 */
export async function* readEntries(file: string, entries: Entries): AsyncGenerator<StreamEntry> {
  const first = await firstCharacter(file);
  if (first === '{' || first === '[') {
    yield* readJsonFile(file, entries);
    return;
  }
  for await (const command of readCommands(file, () => {})) {
    if (isDataEntry(command)) yield entries.ofCommand(command);
  }
}

/** The JSON events of a file, also gzipped. Throws a ConfigError when it cannot be read, or holds something else. */
export async function* readJsonFile(file: string, entries: Entries): AsyncGenerator<StreamEntry> {
  yield* readJson(await openText(file), file, entries);
}

/** The JSON events of a text, as {@link readEntries} understands them. */
export async function* readJson(input: Readable, where: string, entries: Entries): AsyncGenerator<StreamEntry> {
  let whole: string | null = null;
  let hasLines = false;
  let number = 0;
  for await (const line of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) {
    number++;
    if (whole !== null) whole += `${line}\n`;
    else if (line.trim() === '') continue;
    else if (hasLines || (isComplete(line) && !line.trimStart().startsWith('['))) {
      yield entries.ofJson(line, `${where}:${number}`);
      hasLines = true;
    } else whole = `${line}\n`;
  }
  if (whole === null) return;
  const value = parse(whole, where);
  for (const event of Array.isArray(value) ? value : [value]) yield entries.ofJson(compactJson(event), where);
}

function isComplete(text: string): boolean {
  try {
    parseJson(text);
    return true;
  } catch {
    return false;
  }
}

function parse(text: string, where: string): JobValue {
  try {
    return parseJson(text);
  } catch (error) {
    if (!(error instanceof ExpressionError)) throw error;
    throw notAnEvent(where, error.message);
  }
}

function notAnEvent(where: string, why: string): ConfigError {
  return new ConfigError('CONFIG_INVALID', `There is no event here: ${why}`, {
    where,
    fix: 'Give a Debezium event as JSON, {"key": …, "value": …}, or {"table": …, "op": "c", "key": …, "after": …}.',
  });
}

function isRecorded(value: JobObject): boolean {
  const fields = value.get('fields');
  if (typeof value.get('stream') !== 'string' || !Array.isArray(fields)) return false;
  return fields.every(
    (field) => Array.isArray(field) && field.length === 2 && field.every((x) => typeof x === 'string'),
  );
}

function hasOnly(value: JobObject, names: ReadonlySet<string>): boolean {
  return [...value.keys()].every((name) => names.has(name));
}

/** Key or value of a pair: a text is JSON already. */
function partText(part: JobValue | undefined): string {
  if (part === undefined || part === null) return 'default';
  return typeof part === 'string' ? part : compactJson(part);
}

function textOf(value: JobValue | undefined): string {
  return typeof value === 'string' ? value : '';
}

async function firstCharacter(file: string): Promise<string> {
  const text = await openText(file);
  try {
    for await (const chunk of text) {
      const found = String(chunk)
        .replace(/^\uFEFF/, '')
        .trimStart()
        .charAt(0);
      if (found !== '') return found;
    }
    return '';
  } catch (cause) {
    throw unreadable(file, cause);
  } finally {
    text.destroy();
  }
}

/** The file's bytes, unzipped where they are zipped. */
async function openText(file: string): Promise<Readable> {
  const raw = createReadStream(file);
  const isZipped = await new Promise<boolean>((tell, fail) => {
    raw.once('error', fail);
    raw.once('end', () => tell(false));
    raw.once('readable', () => {
      const start = raw.read(2) as Buffer | null;
      if (start !== null) raw.unshift(start);
      tell(start?.[0] === 0x1f && start[1] === 0x8b);
    });
  }).catch((cause: unknown) => {
    throw unreadable(file, cause);
  });
  if (!isZipped) return raw;
  const unzip = createGunzip();
  raw.on('error', (error) => unzip.destroy(error));
  unzip.on('close', () => raw.destroy());
  return raw.pipe(unzip);
}

function unreadable(file: string, cause: unknown): ConfigError {
  const { code } = cause as NodeJS.ErrnoException;
  return new ConfigError('CONFIG_NOT_FOUND', `Cannot read the events: ${code ?? 'unknown reason'}`, {
    where: file,
    fix: 'Give the path of a file with events, or of a recording.',
    cause,
  });
}
