import type { Socket } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ProtocolError } from '../../../src/errors.ts';
import { systemClock } from '../../../src/lib/clock.ts';
import type { EndpointContext } from '../../../src/sink/client.ts';
import { Connection } from '../../../src/sink/connection.ts';
import { Users } from '../../../src/sink/users.ts';
import { EmbeddedStore, type StoredStream } from '../../../src/streams/index.ts';
import { commandBytes } from '../../helpers/bulk-strings.ts';
import { type Random, seededRandom } from '../../helpers/random.ts';
import { replyEnd } from '../../helpers/raw-client.ts';
import { readCommands } from '../../helpers/resp-reference.ts';
import { tempFolder } from '../../helpers/temp-folder.ts';

const FRAMES = Number(process.env['RDI_FUZZ_FRAMES'] ?? 1_000_000);
const SEED = Number(process.env['RDI_SEED'] ?? 20_250_302);
const CONNECTIONS = 200;
const FRAMES_PER_CONNECTION = 60;
const OOM = "-OOM command not allowed when used memory > 'maxmemory'.\r\n";

let store: EmbeddedStore;
let context: EndpointContext;
let wantsSync = false;
let isFull = false;
/** Errors while a command was run that are none of the client's making. */
const bugs: Error[] = [];
const live = new Set<FuzzedClient>();

beforeAll(async () => {
  store = await EmbeddedStore.open({
    folder: tempFolder({ inMemory: true }),
    clock: systemClock,
    diskLimitBytes: 2 ** 30,
    tailBytes: 1 << 20,
    segmentBytes: 4 << 20,
    onNotice: () => {},
  });
  // Like the endpoint's own, but that a full store can be pretended.
  const pretending = new Proxy(store, {
    get(target, name) {
      if (name === 'pressure' && isFull) return 'refusing';
      const value = Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  context = {
    store: pretending,
    // A rest between chunks would end a refusal.
    clock: { now: Date.now, elapsed: () => 0 },
    users: new Users([]),
    version: '0',
    startedAtMs: 0,
    limits: {
      maxFrameBytes: 100_000,
      maxBulkBytes: 100_000,
      maxArguments: 1000,
      frameError: 'invalid bulk length',
      argumentsError: 'invalid multibulk length',
    },
    testMode: false,
    clusterHosts: new Set(),
    hostsBeforeReset: new Set(),
    testMaxmemory: 0,
    progress: () => ({ durable: store.durable, synced: store.metadata.synced }),
    isPaced: () => false,
    requestSync: () => {
      wantsSync = true;
    },
    clients: () => [...live].map(({ connection }) => connection),
    onProtocolError: (_client, cause) => {
      if (!(cause instanceof ProtocolError)) bugs.push(cause);
    },
  };
  store.addListener({ onDurable: flushAll, onTakenBack: () => {} });
});

afterAll(() => store.close());

function flushAll(): void {
  for (const { connection } of live) connection.flush();
}

/** A connection on a socket that only takes notes. */
class FuzzedClient {
  readonly connection: Connection;
  readonly sent: string;
  output = '';
  isClosed = false;
  readonly #chunks: Buffer[] = [];
  #expected: number | undefined;
  #answered = 0;
  #seen = 0;

  constructor(id: number, bytes: Buffer, random: Random) {
    this.sent = bytes.toString('latin1');
    for (let at = 0; at < bytes.length; ) {
      const length = 1 + random.below(random.chance(0.3) ? 8 : bytes.length);
      this.#chunks.push(bytes.subarray(at, at + length));
      at += length;
    }
    const close = () => {
      this.isClosed = true;
    };
    const socket = {
      remoteAddress: '10.0.0.1',
      remotePort: id,
      writableLength: 0,
      write: (text: string) => {
        this.output += text;
        return true;
      },
      end: (text: string) => {
        this.output += text;
        close();
      },
      destroy: close,
      pause: () => {},
      resume: () => {},
      on: () => {},
      once: () => {},
      off: () => {},
    };
    this.connection = new Connection(socket as unknown as Socket, id, context);
  }

  /** Whether a whole command has no whole answer. */
  isWaiting(): boolean {
    if (this.isClosed) return false;
    this.#expected ??= readCommands(this.sent).commands.length;
    const bytes = Buffer.from(this.output.slice(this.#seen), 'latin1');
    let at = 0;
    for (let to = replyEnd(bytes, at); to !== null && this.#answered < this.#expected; to = replyEnd(bytes, at)) {
      at = to;
      this.#answered++;
    }
    this.#seen += at;
    return this.#answered < this.#expected;
  }

  /** Feeds the next chunk; false when there is none. */
  feed(): boolean {
    const chunk = this.#chunks.shift();
    if (!chunk || this.isClosed) return false;
    // A copy, which is overwritten when the turn is over, as a socket's memory may be.
    this.connection.receive(Buffer.from(chunk));
    return true;
  }
}

const json = (id: number) =>
  `{"op":"u","before":null,"after":{"id":${id},"name":"ü"},"source":{"db":"shop","table":"t"}}`;
type Words = readonly (string | Buffer)[];

const ENTRIES: readonly Words[] = [
  ...Array.from({ length: 12 }, (_, i) => ['XADD', `data:shop.t${i % 4}`, '*', 'key', `{"id":${i}}`, 'value', json(i)]),
  ['XADD', 'data:compact', '*', '{"id":1}', json(1)],
  ['XADD', 'data:headers', '*', 'key', 'default', 'value', 'default', '__DEBEZIUM.NEWKEY', '{"id":2}'],
  ['XADD', 'data:shop.t0', '*'],
  ['XADD', 'data:shop.t0', 'MAXLEN', '~', '10', '*', 'a', 'b'],
  ['XADD', 'data:shop.t0', '99-1', 'a', Buffer.from([0, 255, 13, 10])],
  ['xadd', 'data:shop.t0', '*', 'a'],
];
const OTHERS: readonly Words[] = [
  ['PING'],
  ['INFO', 'memory'],
  ['WAIT', '1', '1000'],
  ['CLIENT', 'SETNAME', 'debezium:redis:sink'],
  ['CLIENT', 'SETINFO', 'LIB-NAME', 'jedis'],
  ['SELECT', '3'],
  ['HSET', 'metadata:debezium:offsets', '["a"]', '{"lsn":1}'],
  ['HGETALL', 'metadata:debezium:offsets'],
  ['XADD', 'metadata:debezium:schema_history', '*', 'schema', '{}'],
  ['XLEN', 'data:shop.t0'],
  ['TYPE', 'data:shop.t0'],
  ['XRANGE', 'metadata:debezium:schema_history', '-', '+', 'COUNT', '2'],
  ['XRANGE', 'data:compact', '-', '+', 'COUNT', '2'],
  ['XINFO', 'STREAM', 'data:shop.t1'],
  ['SCAN', '0', 'MATCH', 'data:*[a-z]?', 'COUNT', '5'],
  ['HELLO', '3', 'SETNAME', 'x'],
  ['HELLO', '2'],
  ['AUTH', 'default', 'x'],
  ['COMMAND', 'COUNT'],
  ['CONFIG', 'GET', 'max*'],
];
const RAW = ['XADD data:inline * key value\r\n', 'PING\r\n', '\r\n', '*0\r\n', '*-1\r\n'].map((text) =>
  Buffer.from(text),
);
const JUNK = ['\r\n', '*', '$-1\r\n', '*0\r\n', '"', '$0\r\n\r\n', '\0', '*99999999999\r\n', '$5\r\n'].map((text) =>
  Buffer.from(text),
);
const WHOLE = new Map([...ENTRIES, ...OTHERS].map((words) => [words, commandBytes(...words)]));

/** A frame of the protocol whose words are damaged in many cases. */
function damagedWords(random: Random): Buffer {
  if (random.chance(0.03)) return random.pick(RAW);
  const words = random.pick(random.chance(0.85) ? ENTRIES : OTHERS);
  const kind = random.below(10);
  if (kind < 2) return WHOLE.get(words)!;
  const copy: Buffer[] = words.map((word) => Buffer.from(word));
  // Names and stream keys are damaged seldom: the endpoint must get to the rest.
  const index = random.below(words.length) || random.below(words.length);
  const at = index === 1 && random.chance(0.9) ? words.length - 1 : index;
  const word = copy[at]!;
  if (kind < 6 && word.length > 0) word[random.below(word.length)] = random.below(256);
  else if (kind === 6) copy.splice(at, 1);
  else if (kind === 7) copy.splice(at, 0, random.bytes(random.below(12)));
  else if (kind === 8) copy[at] = word.subarray(0, random.below(word.length + 1));
  else copy[at] = Buffer.concat([word, random.pick(JUNK), word]);
  return commandBytes(...copy);
}

/** Damages bytes wherever they are. */
function damagedBytes(bytes: Buffer, random: Random): Buffer {
  const at = random.below(bytes.length);
  const [before, after] = [bytes.subarray(0, at), bytes.subarray(at)];
  switch (random.below(5)) {
    case 0: {
      const copy = Buffer.from(bytes);
      copy[at] = random.below(256);
      return copy;
    }
    case 1:
      return Buffer.concat([before, random.bytes(1 + random.below(4)), after]);
    case 2:
      return Buffer.concat([before, bytes.subarray(at + 1 + random.below(4))]);
    case 3:
      return Buffer.concat([before, damagedWords(random), after]);
    default:
      return Buffer.concat([before, random.pick(JUNK), after]);
  }
}

/** What one connection sends: many frames, and at the end of some something that breaks the framing. */
function conversation(random: Random): { bytes: Buffer; frames: number } {
  const frames = Array.from({ length: 1 + random.below(FRAMES_PER_CONNECTION * 2) }, () => damagedWords(random));
  if (random.chance(0.5))
    frames.push(damagedBytes(Buffer.concat([damagedWords(random), damagedWords(random)]), random));
  return { bytes: Buffer.concat(frames), frames: frames.length };
}

/** Lets everything become durable and every answer leave; those that are read from disk take longer. */
async function settled(clients: readonly FuzzedClient[]): Promise<void> {
  const deadline = performance.now() + 10_000;
  for (let waiting = clients; waiting.length > 0; ) {
    if (performance.now() > deadline) throw new Error(`${waiting.length} connections wait for answers`);
    await store.flush();
    if (wantsSync) {
      wantsSync = false;
      await store.sync();
    }
    flushAll();
    await turn();
    waiting = waiting.filter((client) => client.isWaiting());
  }
}

/** Whether the reply is one that an `XADD` to a data stream may have. */
function isRight(reply: string): boolean {
  return reply === OOM || /^\$\d+\r\n\d+-\d+\r\n$/.test(reply);
}

/** Compares the replies of a connection with the commands that it sent. Returns the number of entries it was told of. */
function check({ sent, output, isClosed }: FuzzedClient): number {
  const { commands, end } = readCommands(sent);
  const bytes = Buffer.from(output, 'latin1');
  let at = 0;
  let stored = 0;
  let count = 0;
  const last = new Map<string, [number, number]>();
  let db = '0';
  let isRefused = false;
  for (const words of commands) {
    const to = replyEnd(bytes, at);
    if (to === null) break;
    const reply = bytes.toString('latin1', at, to);
    at = to;
    count++;
    const name = words[0]?.toUpperCase();
    if (name === 'SELECT' && reply === '+OK\r\n') db = words[1] ?? '0';
    if (name === 'RESET' && reply === '+RESET\r\n') db = '0';
    if (name !== 'XADD') isRefused = false;
    if (name !== 'XADD' || words.length < 2) continue;
    if (!isRight(reply)) throw new Error(`${JSON.stringify(words)} was answered with ${JSON.stringify(reply)}`);
    if (words[1]?.startsWith('metadata:')) continue;
    if (reply === OOM) {
      isRefused = true;
      continue;
    }
    if (isRefused) throw new Error(`${JSON.stringify(words)} was stored behind a refused entry`);
    stored++;
    const [ms = 0, seq = 0] = (reply.split('\r\n')[1] ?? '').split('-').map(Number);
    const [lastMs, lastSeq] = last.get(`${db}:${words[1]}`) ?? [-1, 0];
    if (ms < lastMs || (ms === lastMs && seq <= lastSeq)) throw new Error(`the id ${ms}-${seq} does not grow`);
    last.set(`${db}:${words[1]}`, [ms, seq]);
  }
  if (isClosed || end === 'quoted') return stored;
  if (count < commands.length)
    throw new Error(`${commands.length - count} commands have no answer, first ${JSON.stringify(commands[count])}`);
  if (at < bytes.length) throw new Error(`an answer to nothing: ${JSON.stringify(output.slice(at, at + 200))}`);
  if (end === 'bad') throw new Error('bytes that are no protocol did not close the connection');
  return stored;
}

/** Everything is settled, so that the journal stays small. */
async function settle(): Promise<void> {
  const counters = new Map(
    store.streams().map((stream): [StoredStream, ReturnType<typeof written>] => [stream, written(stream.appended)]),
  );
  await store.settle({ position: store.durable, behind: new Map(), counters });
}

function written(count: number) {
  return { written: count, filtered: 0, superseded: 0, rejected: 0, skipped: 0, inserted: 0, updated: 0, deleted: 0 };
}

test(`${FRAMES} damaged frames never crash the endpoint, never get a wrong answer, and leave no memory behind`, async () => {
  const random = seededRandom(SEED);
  let frames = 0;
  let stored = 0;
  let id = 0;
  let before = 0;
  for (let round = 0; frames < FRAMES; round++) {
    const clients = Array.from({ length: CONNECTIONS }, () => {
      const sent = conversation(random);
      frames += sent.frames;
      return new FuzzedClient(++id, sent.bytes, random);
    });
    for (const client of clients) live.add(client);
    for (let isFeeding = true; isFeeding; ) {
      isFeeding = false;
      isFull = random.chance(0.05);
      for (const client of clients) if (client.feed()) isFeeding = true;
      await turn();
    }
    await settled(clients);
    for (const client of clients) {
      try {
        stored += check(client);
      } catch (error) {
        throw new Error(
          `seed ${SEED}, connection ${client.connection.id}: ${(error as Error).message}\n${JSON.stringify(client.sent.slice(0, 3000))}`,
        );
      }
      client.connection.destroy();
    }
    live.clear();
    if (round % 5 === 4) await settle();
    if (round === 10) before = process.memoryUsage().rss;
  }
  expect(bugs).toEqual([]);
  const appended = store.streams().reduce((sum, stream) => sum + stream.appended, 0);
  expect(stored).toBeGreaterThan(frames / 20);
  expect(appended).toBeGreaterThanOrEqual(stored);
  if (before > 0) expect(process.memoryUsage().rss - before).toBeLessThan(300 << 20);
}, 600_000);
