import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { Decoder, type DecoderOptions, type FeederWarning } from '../../../src/decode/index.ts';
import {
  type ChangeEvent,
  JsonText,
  NumberText,
  type Row,
  type Stream,
  type StreamEntry,
  UNAVAILABLE,
  type Value,
} from '../../../src/types.ts';

/** Encodes fields as the RESP bulk strings of an entry, with foreign bytes around them as in a journal segment. */
export function entryOf(stream: Stream, fields: readonly (readonly [string, string])[], seq = 0): StreamEntry {
  const parts = fields.flat().map((text) => `$${Buffer.byteLength(text)}\r\n${text}\r\n`);
  const body = Buffer.from(parts.join(''));
  const bytes = Buffer.concat([Buffer.from('"}],{'), body, Buffer.from('"}]}}')]);
  return {
    stream,
    ms: 1700000000000,
    seq,
    position: 0,
    bytes,
    start: 5,
    end: 5 + body.length,
    fieldCount: fields.length * 2,
  };
}

let streamCount = 0;

export function streamNamed(name: string): Stream {
  return { number: streamCount++, db: 0, name };
}

/** A decoder with what it reported, and short ways to feed it. */
export class World {
  readonly warnings: FeederWarning[] = [];
  readonly dropped: string[] = [];
  readonly unconverted: string[] = [];
  readonly decoder: Decoder;
  readonly #streams = new Map<string, Stream>();

  constructor(options: Partial<DecoderOptions> = {}) {
    this.decoder = new Decoder({
      onWarning: (warning) => this.warnings.push(warning),
      onDropped: (_stream, column) => this.dropped.push(column),
      onUnconverted: (_stream, column) => this.unconverted.push(column),
      ...options,
    });
  }

  stream(name: string): Stream {
    let stream = this.#streams.get(name);
    if (stream === undefined) {
      stream = streamNamed(name);
      this.#streams.set(name, stream);
    }
    return stream;
  }

  /** Decodes one extended entry; objects become JSON. */
  decode(key: unknown, value: unknown, headers: Record<string, string> = {}, streamName = 'data:shop.sales.orders') {
    const fields: [string, string][] = [['key', textOf(key)], ['value', textOf(value)], ...Object.entries(headers)];
    return this.decoder.decode(entryOf(this.stream(streamName), fields));
  }

  change(key: unknown, value: unknown, headers: Record<string, string> = {}, streamName?: string): ChangeEvent {
    const decoded = this.decode(key, value, headers, streamName);
    if (decoded.kind !== 'change') throw new Error(`expected a change, got ${JSON.stringify(decoded)}`);
    return decoded;
  }
}

function textOf(part: unknown): string {
  return typeof part === 'string' ? part : JSON.stringify(part);
}

/** A value in a form that assertions can print: `{number: '1.50'}`, `{json: '[1]'}`, 'UNAVAILABLE' apart. */
export function plain(value: Value | undefined): unknown {
  if (value === UNAVAILABLE) return { unavailable: true };
  if (value instanceof NumberText) return { number: value.text };
  if (value instanceof JsonText) return { json: value.text };
  return value;
}

export function rowOf(row: Row | null): Record<string, unknown> | null {
  return row && Object.fromEntries(row.names.map((name, index) => [name, plain(row.values[index])]));
}

export interface RecordedEntry {
  stream: string;
  id: string;
  fields: [string, string][];
}

/** Data entries of a recording, in order of arrival; offsets and schema history are left out. */
export function recorded(set: string): RecordedEntry[] {
  const text = gunzipSync(
    readFileSync(new URL(`../../../fixtures/${set}/entries.ndjson.gz`, import.meta.url)),
  ).toString();
  return text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as RecordedEntry)
    .filter((entry) => entry.id !== undefined && !entry.stream.startsWith('metadata:'));
}
