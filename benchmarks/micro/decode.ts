/**
 * CPU per event of the decoder: an event of 10 columns (1 KB of value, 1.4 KB with headers), without and with schemas,
 * with the row before and flattened, against `JSON.parse` of the same texts in the same run. Prints one JSON object; all times are µs
 * of CPU per event, the best of several rounds.
 *
 * Usage: node benchmarks/micro/decode.ts [events per round]
 */
import { Decoder } from '../../src/decode/index.ts';
import type { Stream, StreamEntry } from '../../src/types.ts';

const EVENTS = Number(process.argv[2] ?? 20_000);
const ROUNDS = 15;

const REMARK =
  'Customer # asks for delivery after six, as the street is closed for works until then; leave parcel # with the neighbour ' +
  'on the second floor if nobody opens. Prefers letters to calls, has a contract since the first year of the shop, and gets ' +
  'the catalogue of spring and of autumn. Complaint # was settled to the content of all, with a voucher and an apology, and a call.';

function row(id: number): Record<string, unknown> {
  return {
    id,
    first_name: `Name${id % 977}`,
    last_name: `Surname${id % 1013}`,
    email: `user${id}@example.com`,
    balance: `${id % 10_000}.${10 + (id % 90)}`,
    visits: id % 5_000,
    vip: id % 2 === 0,
    created: 1_709_214_330_123_456 + id,
    street: `${id % 300} Long Street Name, Building ${id % 40}, Floor ${id % 9}`,
    note: REMARK.replaceAll('#', String(id % 10_000)),
  };
}

function source(id: number): Record<string, unknown> {
  return {
    version: '3.6.1.Final',
    connector: 'postgresql',
    name: 'shop',
    ts_ms: 1_795_414_556_632 + id,
    snapshot: 'false',
    db: 'shopdb',
    sequence: `["${28_572_328 + id}","${28_572_400 + id}"]`,
    ts_us: 1_795_414_556_632_650 + id,
    ts_ns: 1_795_414_556_632_650_000 + id * 1000,
    schema: 'sales',
    table: 'customers',
    txId: 830 + id,
    lsn: 28_572_328 + id,
    xmin: null,
    origin: null,
    origin_lsn: null,
  };
}

function envelope(id: number): Record<string, unknown> {
  const times = {
    ts_ms: 1_795_414_557_190 + id,
    ts_us: 1_795_414_557_190_747 + id,
    ts_ns: 1_795_414_557_190_747_000 + id * 1000,
  };
  return {
    before: null,
    after: row(id),
    source: source(id),
    transaction: null,
    op: id % 4 === 0 ? 'c' : 'u',
    ...times,
  };
}

const field = (name: string, type: string, more: object = {}) => ({
  type,
  optional: name !== 'id',
  ...more,
  field: name,
});

const columns = [
  field('id', 'int32'),
  field('first_name', 'string'),
  field('last_name', 'string'),
  field('email', 'string'),
  field('balance', 'bytes', {
    name: 'org.apache.kafka.connect.data.Decimal',
    version: 1,
    parameters: { scale: '2', 'connect.decimal.precision': '12' },
  }),
  field('visits', 'int32'),
  field('vip', 'boolean'),
  field('created', 'int64', { name: 'io.debezium.time.MicroTimestamp', version: 1 }),
  field('street', 'string'),
  field('note', 'string'),
];
const schema = {
  type: 'struct',
  fields: [
    { type: 'struct', fields: columns, optional: true, name: 'shop.sales.customers.Value', field: 'before' },
    { type: 'struct', fields: columns, optional: true, name: 'shop.sales.customers.Value', field: 'after' },
    {
      type: 'struct',
      fields: Object.keys(source(1)).map((name) => field(name, 'string')),
      optional: false,
      field: 'source',
    },
    ...['transaction', 'op', 'ts_ms', 'ts_us', 'ts_ns'].map((name) => field(name, 'string')),
  ],
  optional: false,
  name: 'shop.sales.customers.Envelope',
  version: 2,
};
const keySchema = { type: 'struct', fields: [field('id', 'int32')], optional: false, name: 'shop.sales.customers.Key' };

const header = (payload: string) => JSON.stringify({ schema: { type: 'string', optional: false }, payload });
const HEADERS: [string, string][] = [
  ['__DEBEZIUM.CONTEXT.CONNECTORNAME', header('postgresql')],
  ['__DEBEZIUM.CONTEXT.CONNECTORLOGICALNAME', header('shop')],
  ['__DEBEZIUM.CONTEXT.TASKID', header('0')],
  ['__DEBEZIUM.CONTEXT.RUNID', header('01a2070b-fa6f-718c-980a-e369897ad73b')],
];

/** Decimals come as base64 with schemas. */
function withBase64Balance(value: Record<string, unknown>): Record<string, unknown> {
  const after = value['after'] as Record<string, unknown>;
  const unscaled = Buffer.alloc(4);
  unscaled.writeInt32BE(Math.round(Number(after['balance']) * 100));
  return { ...value, after: { ...after, balance: unscaled.toString('base64') } };
}

const MAKERS: Record<string, (id: number) => { key: string; value: string }> = {
  schemaLess: (id) => ({ key: `{"id":${id}}`, value: JSON.stringify(envelope(id)) }),
  schemaLessWithBefore: (id) => ({ key: `{"id":${id}}`, value: JSON.stringify({ ...envelope(id), before: row(id) }) }),
  withSchemas: (id) => ({
    key: JSON.stringify({ schema: keySchema, payload: { id } }),
    value: JSON.stringify({ schema, payload: withBase64Balance(envelope(id)) }),
  }),
  flattened: (id) => ({
    key: `{"id":${id}}`,
    value: JSON.stringify({ ...row(id), __deleted: 'false', __op: 'u', __table: 'customers' }),
  }),
};

interface Corpus {
  entries: StreamEntry[];
  values: string[];
}

function corpusOf(make: (id: number) => { key: string; value: string }, number: number): Corpus {
  const stream: Stream = { number, db: 0, name: 'shop.sales.customers' };
  const values: string[] = [];
  const bodies: Buffer[] = [];
  for (let id = 1; id <= EVENTS; id++) {
    const { key, value } = make(id);
    values.push(value);
    const fields = [['key', key], ['value', value], ...HEADERS].flat();
    bodies.push(Buffer.from(fields.map((text) => `$${Buffer.byteLength(text)}\r\n${text}\r\n`).join('')));
  }
  // Entries share a chunk, as they do when they come from a socket or a segment.
  const bytes = Buffer.concat(bodies);
  let start = 0;
  const entries = bodies.map((body, index) => {
    const entry = {
      stream,
      ms: 1,
      seq: index,
      position: index,
      bytes,
      start,
      end: start + body.length,
      fieldCount: 12,
    };
    start += body.length;
    return entry;
  });
  return { entries, values };
}

/** µs of CPU per event of the best round. */
function measure(run: () => void): number {
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < ROUNDS; round++) {
    const before = process.cpuUsage();
    run();
    const { user, system } = process.cpuUsage(before);
    best = Math.min(best, (user + system) / EVENTS);
  }
  return Math.round(best * 1000) / 1000;
}

const results: Record<string, unknown> = {};
const decoder = new Decoder({ onWarning: () => {} });
let changes = 0;
for (const [index, [name, make]] of Object.entries(MAKERS).entries()) {
  const { entries, values } = corpusOf(make, index);
  const decode = measure(() => {
    for (const entry of entries) if (decoder.decode(entry).kind === 'change') changes++;
  });
  const jsonParse = measure(() => {
    for (const value of values) if (JSON.parse(value) !== null) changes++;
  });
  results[name] = {
    valueBytes: values[0]!.length,
    decode,
    jsonParse,
    ratio: Math.round((decode / jsonParse) * 100) / 100,
  };
}
if (changes !== EVENTS * ROUNDS * 2 * Object.keys(MAKERS).length) throw new Error('some events were not decoded');
console.log(
  JSON.stringify(
    { benchmark: 'decode', unit: 'µs CPU per event', node: process.version, events: EVENTS, rounds: ROUNDS, results },
    null,
    2,
  ),
);
