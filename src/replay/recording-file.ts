import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { ConfigError } from '../errors.ts';
import { CommandSplitter } from './command-splitter.ts';
import type { RecordedCommand } from './types.ts';

/** Entries per pipeline where a recording does not say: Debezium's default `batch.size`. */
const ENTRIES_PER_PIPELINE = 500;

/**
 * The commands of a recording, read as they are asked for. Understands raw client bytes and `entries.ndjson` (a JSON
 * object per line: `{stream, id, fields: [[name, value], …]}`, or `{hash, fields: [name, value, …]}`), each also
 * gzipped; told apart by content, not by name.
 *
 * @param onRead told the number of bytes read from the file so far
 * @throws ConfigError when the file cannot be read or is neither
 */
export async function* readCommands(file: string, onRead: (bytes: number) => void): AsyncGenerator<RecordedCommand> {
  const zipped = await isGzip(file);
  const raw = createReadStream(file, { highWaterMark: 256 * 1024 });
  let read = 0;
  raw.on('data', (chunk) => {
    read += chunk.length;
    onRead(read);
  });
  let content: Readable = raw;
  if (zipped) {
    const unzip = createGunzip({ chunkSize: 256 * 1024 });
    raw.on('error', (error) => unzip.destroy(error));
    content = raw.pipe(unzip);
  }
  try {
    yield* parseContent(file, content);
  } catch (error) {
    throw describeFailure(file, error);
  } finally {
    raw.destroy();
  }
}

async function isGzip(file: string): Promise<boolean> {
  try {
    const handle = await open(file);
    try {
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(2), 0, 2, 0);
      return bytesRead === 2 && buffer[0] === 0x1f && buffer[1] === 0x8b;
    } finally {
      await handle.close();
    }
  } catch (error) {
    throw describeFailure(file, error);
  }
}

async function* parseContent(file: string, content: Readable): AsyncGenerator<RecordedCommand> {
  const chunks: AsyncIterator<Buffer> = content[Symbol.asyncIterator]();
  const first = await chunks.next();
  if (first.done) return;
  const isJson = first.value[0] === 0x7b;
  yield* isJson ? parseEntries(file, first.value, chunks) : parseBytes(file, first.value, chunks);
}

async function* parseBytes(file: string, first: Buffer, rest: AsyncIterator<Buffer>): AsyncGenerator<RecordedCommand> {
  const splitter = new CommandSplitter();
  for (let chunk: Buffer | undefined = first; chunk !== undefined; chunk = await nextChunk(rest)) {
    yield* splitter.push(chunk);
  }
  if (splitter.incompleteAt !== undefined) {
    throw new ConfigError('CONFIG_INVALID', `The recording ends inside the command at byte ${splitter.incompleteAt}`, {
      where: file,
      fix: 'Record it again, or cut it at that byte.',
    });
  }
}

async function* parseEntries(
  file: string,
  first: Buffer,
  rest: AsyncIterator<Buffer>,
): AsyncGenerator<RecordedCommand> {
  yield command(['CLIENT', 'SETNAME', 'debezium:redis:sink'], 0);
  let inPipeline = 0;
  let lineNumber = 0;
  for await (const line of lines(first, rest)) {
    lineNumber++;
    if (line.trim() === '') continue;
    const entry = entryCommand(line, `${file}:${lineNumber}`, lineNumber);
    if (entry.name === 'XADD' && inPipeline++ % ENTRIES_PER_PIPELINE === 0) {
      yield command(['INFO', 'memory'], lineNumber);
      yield command(['PING'], lineNumber);
    }
    yield entry;
  }
}

async function* lines(first: Buffer, rest: AsyncIterator<Buffer>): AsyncGenerator<string> {
  let pending: Buffer = Buffer.alloc(0);
  for (let chunk: Buffer | undefined = first; chunk !== undefined; chunk = await nextChunk(rest)) {
    let bytes = pending.length === 0 ? chunk : Buffer.concat([pending, chunk]);
    for (let end = bytes.indexOf(0x0a); end !== -1; end = bytes.indexOf(0x0a)) {
      yield bytes.toString('utf8', 0, end);
      bytes = bytes.subarray(end + 1);
    }
    pending = bytes;
  }
  yield pending.toString('utf8');
}

async function nextChunk(chunks: AsyncIterator<Buffer>): Promise<Buffer | undefined> {
  const { value, done } = await chunks.next();
  return done ? undefined : value;
}

function entryCommand(line: string, where: string, offset: number): RecordedCommand {
  let entry: unknown;
  try {
    entry = JSON.parse(line);
  } catch (cause) {
    throw new ConfigError('CONFIG_INVALID', 'The line is not JSON', {
      where,
      fix: 'Give one JSON object per line.',
      cause,
    });
  }
  const { stream, hash, fields } = (entry ?? {}) as { stream?: unknown; hash?: unknown; fields?: unknown };
  const texts = Array.isArray(fields) ? fields.flat() : [];
  if (texts.length > 0 && texts.length % 2 === 0 && texts.every((text) => typeof text === 'string')) {
    if (typeof stream === 'string') return command(['XADD', stream, '*', ...texts], offset);
    if (typeof hash === 'string') return command(['HSET', hash, ...texts], offset);
  }
  throw new ConfigError('CONFIG_INVALID', 'The line is no recorded entry', {
    where,
    fix: 'It must look like {"stream": "shop.orders", "fields": [["key", "…"], ["value", "…"]]}.',
  });
}

/** A command in the form in which Debezium's client library sends it. */
export function command(parts: readonly string[], offset = 0): RecordedCommand {
  const bulks = parts.map((part) => `$${Buffer.byteLength(part)}\r\n${part}\r\n`);
  const bytes = Buffer.from(`*${parts.length}\r\n${bulks.join('')}`);
  return { name: parts[0]!.toUpperCase(), key: parts[1] ?? '', bytes, offset };
}

function describeFailure(file: string, error: unknown): unknown {
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT' || code === 'EACCES' || code === 'EISDIR') {
    return new ConfigError('CONFIG_NOT_FOUND', `Cannot read the recording: ${code}`, {
      where: file,
      fix: 'Give the path of a recorded file.',
      cause: error,
    });
  }
  if (typeof code === 'string' && code.startsWith('Z_')) {
    return new ConfigError('CONFIG_INVALID', `The gzip file is damaged: ${code}`, {
      where: file,
      fix: 'Fetch or record it again.',
      cause: error,
    });
  }
  return error;
}
