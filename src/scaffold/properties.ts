import type { Database, Debezium, Names, Setting } from './types.ts';
import { variable } from './variable.ts';

/** How feeders reach rdi. */
export interface EndpointAddress {
  /** A name or an IPv4 address; Debezium takes no other. */
  readonly host: string;
  readonly port: number;
  /** User of the endpoint; its password is taken from `RDI_ENDPOINT_PASSWORD`. Undefined: no login. */
  readonly user?: string;
}

const OFFSETS = 'debezium.source.offset.storage.redis';
const HISTORY = 'debezium.source.schema.history.internal.redis';
const SINK = 'debezium.sink.redis';

/** `application.properties` of a stock Debezium Server 3: complete, every line with its reason. */
export function propertiesText(
  database: Database,
  debezium: Debezium,
  names: Names,
  endpoint: EndpointAddress,
): string {
  const server = ['What the database needs:', ...database.server.map((sentence) => `- ${sentence}`)];
  const blocks: [string, readonly string[], readonly Setting[]][] = [
    ['Your database', server, debezium.place(names).map(inSource)],
    ['rdi', [], sinkSettings(names, endpoint)],
    ['Where Debezium remembers its position', [], offsetSettings(names, endpoint)],
    ...(debezium.hasHistory
      ? [['The history of table definitions', [], historySettings(names, endpoint)] as [string, string[], Setting[]]]
      : []),
    ['Settings that keep data right', [], valueSettings(debezium)],
    ['Debezium Server itself', [], SERVER],
  ];
  const head = [
    `# A stock Debezium Server 3 that captures ${database.label} and feeds rdi; to be put into its folder \`config\`.`,
    '# Made by `rdi scaffold`. Lines to change say EDIT; every other line protects your data or your time.',
    '# Start rdi first. Debezium Server needs a supervisor that starts it again (systemd, a container’s restart policy).',
    ...(endpoint.user === undefined
      ? ['# Variables: SOURCE_DB_USERNAME, SOURCE_DB_PASSWORD.']
      : ['# Variables: SOURCE_DB_USERNAME, SOURCE_DB_PASSWORD, RDI_ENDPOINT_PASSWORD.']),
  ];
  return `${[head.join('\n'), ...blocks.map((block) => formatBlock(...block))].join('\n\n')}\n`;
}

function formatBlock(title: string, remarks: readonly string[], settings: readonly Setting[]): string {
  const rule = `# --- ${title} `.padEnd(120, '-');
  const lines = settings.flatMap(({ reason, name, value, isOff }) => [
    ...wrap(reason),
    `${isOff ? '#' : ''}${name}=${value}`,
  ]);
  return [rule, '', ...remarks.flatMap((remark) => wrap(remark)), ...lines].join('\n');
}

/** Comment lines of at most 120 characters. */
function wrap(text: string): string[] {
  const lines: string[] = [];
  let line = '#';
  for (const word of text.split(' ')) {
    if (line.length + word.length + 1 > 120) {
      lines.push(line);
      line = '#';
    }
    line += ` ${word}`;
  }
  return [...lines, line];
}

function inSource({ name, ...rest }: Setting): Setting {
  return { ...rest, name: `debezium.source.${name}` };
}

/** Address, login and patience, for each of the connections that Debezium makes: a setting of its own keeps one from inheriting. */
function connection(prefix: string, { host, port, user }: EndpointAddress, reason: string): Setting[] {
  const isOff = user === undefined ? { isOff: true as const } : {};
  return [
    { name: `${prefix}.address`, value: `${host}:${port}`, reason },
    {
      name: `${prefix}.user`,
      value: user ?? 'feeder',
      reason: user === undefined ? 'Needed when rdi has users (`--user`).' : 'The user of rdi’s endpoint (`--user`).',
      ...isOff,
    },
    {
      name: `${prefix}.password`,
      value: variable('RDI_ENDPOINT_PASSWORD'),
      reason: 'The variable from which rdi takes the password of its user, too.',
      ...isOff,
    },
    {
      name: `${prefix}.ssl.enabled`,
      value: 'true',
      reason: 'When rdi’s endpoint has a certificate (`--tls-cert`).',
      isOff: true,
    },
    {
      name: `${prefix}.socket.timeout.ms`,
      value: '30000',
      reason: 'With the default of 2 s a disk that stalls for a moment makes Debezium cut the connection and repeat.',
    },
  ];
}

function sinkSettings({ source }: Names, endpoint: EndpointAddress): Setting[] {
  return [
    { name: 'debezium.sink.type', value: 'redis', reason: 'rdi speaks the Redis protocol.' },
    ...connection(SINK, endpoint, 'The endpoint of rdi (`--listen`), as this machine reaches it.'),
    {
      name: `${SINK}.message.format`,
      value: 'extended',
      reason: 'Key and value as fields of their own: the layout that RDI uses.',
    },
    {
      name: `${SINK}.batch.size`,
      value: '2048',
      reason:
        'Records per pipeline, default 500: as many as Debezium takes at a time. One write to disk confirms all of them.',
    },
    {
      name: `${SINK}.retry.max.delay.ms`,
      value: '1000',
      reason: 'The sink tries without end; with the default it looks only every 10 s whether rdi is back.',
    },
    {
      name: `${SINK}.skip.heartbeat.messages`,
      value: 'false',
      reason:
        'Heartbeats show rdi that the feeder is alive (counted as skipped). Debezium 3.2 to 3.5 repeat records when they skip them.',
    },
    {
      name: 'debezium.source.heartbeat.interval.ms',
      value: '10000',
      reason: 'How often. They also move the position on while only tables change that are not captured.',
    },
    {
      name: 'debezium.source.topic.prefix',
      value: source,
      reason:
        'The name of this source: `server_name` in jobs, and the first part of stream names. Never change it later.',
    },
  ];
}

function offsetSettings({ source }: Names, endpoint: EndpointAddress): Setting[] {
  return [
    {
      name: 'debezium.source.offset.storage',
      value: 'io.debezium.storage.redis.offset.RedisOffsetBackingStore',
      reason: 'Rows and position in one log: rdi confirms a position only after all rows before it are on disk.',
    },
    ...connection(OFFSETS, endpoint, 'The same endpoint.'),
    {
      name: `${OFFSETS}.key`,
      value: `metadata:${source}:offsets`,
      reason: 'A key of its own per source, beginning with `metadata:`.',
    },
    {
      name: 'debezium.source.offset.flush.interval.ms',
      value: '1000',
      reason: 'Default 60 s. Fewer rows come twice after a restart, and the database may drop its log earlier.',
    },
  ];
}

function historySettings({ source }: Names, endpoint: EndpointAddress): Setting[] {
  return [
    {
      name: 'debezium.source.schema.history.internal',
      value: 'io.debezium.storage.redis.history.RedisSchemaHistory',
      reason: 'How the tables looked at each position of the log, without which it cannot be read. rdi never trims it.',
    },
    ...connection(HISTORY, endpoint, 'The same endpoint.'),
    {
      name: `${HISTORY}.key`,
      value: `metadata:${source}:schema_history`,
      reason: 'Two sources must not share one: each would read the other’s tables.',
    },
    {
      name: `${HISTORY}.retry.max.attempts`,
      value: '1000000',
      reason:
        'With the default of 10 Debezium gives up about a minute after rdi went away; its other connections wait.',
    },
    {
      name: 'debezium.source.schema.history.internal.store.only.captured.tables.ddl',
      value: 'true',
      reason: 'Captured tables only: less to read at each start. To capture a further table later, reset first.',
    },
    {
      name: 'debezium.source.include.schema.changes',
      value: 'false',
      reason: 'Statements that change tables are no rows; the history has them.',
    },
  ];
}

function valueSettings({ values, format }: Debezium): Setting[] {
  return [
    ...values.map(inSource),
    {
      name: 'debezium.format.key.schemas.enable',
      value: 'false',
      reason: 'Events without schemas are several times smaller.',
    },
    {
      name: 'debezium.format.value.schemas.enable',
      value: 'false',
      reason: 'The same for rows. Dates and times are then numbers, as in RDI; with `true` rdi writes them readably.',
    },
    ...format,
    {
      name: 'debezium.format.key.replace.null.with.default',
      value: 'false',
      reason: 'By default a column’s default is sent in place of NULL, and nobody can tell the two apart afterwards.',
    },
    { name: 'debezium.format.value.replace.null.with.default', value: 'false', reason: 'The same in rows.' },
    {
      name: 'debezium.source.tombstones.on.delete',
      value: 'false',
      reason: 'The delete event says all. The empty record after it is for Kafka’s compaction.',
    },
    {
      name: 'debezium.source.extended.headers.enabled',
      value: 'false',
      reason: 'Since 3.2 each record carries 200 to 500 bytes about the connector that nobody reads.',
    },
    {
      name: 'debezium.source.event.processing.failure.handling.mode',
      value: 'fail',
      reason: 'An event that Debezium cannot read stops it, where `warn` and `skip` would lose the row silently.',
    },
    {
      name: 'debezium.source.snapshot.mode',
      value: 'initial',
      reason: 'All rows that are there are read once at the first start, then changes follow.',
    },
  ];
}

const SERVER: readonly Setting[] = [
  { name: 'quarkus.log.level', value: 'INFO', reason: 'Enough to see what it does.' },
  { name: 'quarkus.log.console.json', value: 'false', reason: 'One readable line per message.' },
  { name: 'quarkus.http.port', value: '8088', reason: 'Its health page (`/q/health`); 8080 is rdi’s.' },
];
