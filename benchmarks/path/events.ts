/**
 * Events as a Debezium Server 3.6 sends them with the recommended settings (extended format, decimals as strings, no context
 * headers): 10 columns, 1.1 KB of value without schemas.
 */

const COLUMNS: readonly [name: string, type: string, semantic?: string][] = [
  ['id', 'int64'],
  ['customer_name', 'string'],
  ['email', 'string'],
  ['status', 'string', 'io.debezium.data.Enum'],
  ['total', 'string'],
  ['quantity', 'int32'],
  ['is_paid', 'boolean'],
  ['created_at', 'int64', 'io.debezium.time.MicroTimestamp'],
  ['updated_at', 'string', 'io.debezium.time.ZonedTimestamp'],
  ['note', 'string'],
];

export const STATUSES = ['new', 'paid', 'packed', 'shipped', 'delivered', 'returned'];
const NOTE =
  'Leave the parcel with the neighbour on the second floor if nobody answers; ring twice, the bell is quiet. '.repeat(
    4,
  );

export interface EventOptions {
  readonly id: number;
  /** Makes the row's content differ between versions of one id. */
  readonly version: number;
  readonly schemas: boolean;
  readonly stream: string;
}

function rowText({ id, version }: EventOptions): string {
  return JSON.stringify({
    id,
    customer_name: `Customer ${id} of ${version}`,
    email: `customer.${id}@example.com`,
    status: STATUSES[(id + version) % STATUSES.length],
    total: `${(id * 7 + version) % 100000}.${String(id % 100).padStart(2, '0')}`,
    quantity: (id + version) % 50,
    is_paid: (id + version) % 2 === 0,
    created_at: 1709214330123456 + id,
    updated_at: '2024-02-29T11:45:30.123456Z',
    note: NOTE.slice(0, 360),
  });
}

function envelopeText(options: EventOptions): string {
  const { id, version } = options;
  const op = version === 0 ? 'c' : 'u';
  const lsn = 97500059720 + id;
  return `{"before":null,"after":${rowText(options)},"source":{"version":"3.6.1.Final","connector":"postgresql","name":"shop","ts_ms":1795414556632,"snapshot":"false","db":"shopdb","sequence":"[\\"${lsn - 120}\\",\\"${lsn}\\"]","ts_us":1795414556632650,"ts_ns":1795414556632650000,"schema":"shop","table":"orders","txId":${800 + version},"lsn":${lsn},"xmin":null,"origin":null,"origin_lsn":null},"transaction":null,"op":"${op}","ts_ms":1795414557190,"ts_us":1795414557190747,"ts_ns":1795414557190747557}`;
}

const ROW_FIELDS = COLUMNS.map(([field, type, name]) => ({
  type,
  optional: field !== 'id',
  ...(name ? { name, version: 1 } : {}),
  field,
}));

const SOURCE_FIELDS = [
  ...['version', 'connector', 'name'].map((field) => ({ type: 'string', optional: false, field })),
  { type: 'int64', optional: false, field: 'ts_ms' },
  { type: 'string', optional: true, name: 'io.debezium.data.Enum', version: 1, field: 'snapshot' },
  ...['db', 'sequence'].map((field) => ({ type: 'string', optional: field === 'sequence', field })),
  ...['ts_us', 'ts_ns'].map((field) => ({ type: 'int64', optional: true, field })),
  ...['schema', 'table'].map((field) => ({ type: 'string', optional: false, field })),
  ...['txId', 'lsn', 'xmin'].map((field) => ({ type: 'int64', optional: true, field })),
];

const VALUE_SCHEMA = JSON.stringify({
  type: 'struct',
  fields: [
    { type: 'struct', fields: ROW_FIELDS, optional: true, name: 'shop.shop.orders.Value', field: 'before' },
    { type: 'struct', fields: ROW_FIELDS, optional: true, name: 'shop.shop.orders.Value', field: 'after' },
    {
      type: 'struct',
      fields: SOURCE_FIELDS,
      optional: false,
      name: 'io.debezium.connector.postgresql.Source',
      field: 'source',
    },
    { type: 'struct', fields: [], optional: true, name: 'event.block', version: 1, field: 'transaction' },
    { type: 'string', optional: false, field: 'op' },
    ...['ts_ms', 'ts_us', 'ts_ns'].map((field) => ({ type: 'int64', optional: true, field })),
  ],
  optional: false,
  name: 'shop.shop.orders.Envelope',
  version: 2,
});
const KEY_SCHEMA = JSON.stringify({
  type: 'struct',
  fields: [{ type: 'int64', optional: false, field: 'id' }],
  optional: false,
  name: 'shop.shop.orders.Key',
});

function wrapped(schema: string, payload: string): string {
  return `{"schema":${schema},"payload":${payload}}`;
}

/** The `XADD` of one event as it goes over the wire. */
export function encodeXadd(options: EventOptions): Buffer {
  const bareKey = `{"id":${options.id}}`;
  const bareValue = envelopeText(options);
  const key = options.schemas ? wrapped(KEY_SCHEMA, bareKey) : bareKey;
  const value = options.schemas ? wrapped(VALUE_SCHEMA, bareValue) : bareValue;
  return encodeCommand(['XADD', options.stream, '*', 'key', key, 'value', value]);
}

export function encodeCommand(words: readonly string[]): Buffer {
  const parts = words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`);
  return Buffer.from(`*${words.length}\r\n${parts.join('')}`);
}

/** Bytes of the value of a typical event without schemas. */
export function valueBytes(): number {
  return Buffer.byteLength(envelopeText({ id: 10_000, version: 1, schemas: false, stream: '' }));
}

/** The target's write of such an event, for measuring what the target can take by itself. */
export function hsetArguments(): string[] {
  const row = JSON.parse(rowText({ id: 10_000, version: 1, schemas: false, stream: '' })) as Record<string, unknown>;
  return Object.entries(row).flatMap(([name, value]) => [
    name,
    value === true ? '1' : value === false ? '0' : String(value),
  ]);
}
