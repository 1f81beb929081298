/**
 * PostgreSQL's text of a value to what rdi must write, through Debezium's encoding of each column type as recorded from
 * Debezium 2.5 and 3.6, and the conversion of logical types where events carry schemas.
 */
import type { FeederSettings } from './expected-rows.ts';
import {
  boolean,
  dateDays,
  decimalBase64,
  isoInstant,
  isoTime,
  javaDouble,
  literal,
  type Rendered,
  scaled,
  scaleOf,
  text,
  timeMicros,
  timestampMicros,
} from './rendered.ts';

/** Numbers that stand for infinity; too large to convert, so they pass as they are with and without schemas. */
const INFINITIES: Readonly<Record<string, string>> = {
  'date infinity': '-622191234',
  'timestamp -infinity': '-9223372036832400000',
};

export function postgresqlValue(type: string, value: string, settings: FeederSettings): Rendered | 'null' | 'dropped' {
  if (type.endsWith('[]')) return array(type.slice(0, -2), value, settings);
  const { schemas } = settings;
  switch (type.replace(/\(.*/, '').trim()) {
    case 'int':
    case 'serial':
    case 'smallint':
    case 'bigint':
    case 'oid':
    case 'shop.posint':
      return literal(value);
    case 'boolean':
      return boolean(value === 't');
    case 'real':
    case 'double precision':
      return javaDouble(value);
    case 'numeric':
      return decimal(value, settings, type === 'numeric');
    case 'money':
      return decimal(value.replace(/[$,]/g, ''), settings, false);
    case 'bytea':
      return text(Buffer.from(value.slice(2), 'hex').toString('base64'));
    case 'date':
      if (INFINITIES[`date ${value}`]) return literal(INFINITIES[`date ${value}`] ?? '');
      return literal(String(schemas ? dateDays(value) * 86_400_000n : dateDays(value)));
    case 'time':
      return timeOfDay(timeMicros(value), type, settings);
    case 'timetz':
      return zonedTime(value, settings);
    case 'timestamp':
      if (INFINITIES[`timestamp ${value}`]) return literal(INFINITIES[`timestamp ${value}`] ?? '');
      return timestamp(timestampMicros(value), type, settings);
    case 'timestamptz':
      if (/infinity/.test(value)) return text(value);
      return schemas ? literal(scaled(timestampMicros(value), 3)) : text(isoInstant(timestampMicros(value), 6));
    case 'interval':
      return schemas ? 'dropped' : literal(String(intervalMicros(value)));
    case 'bit':
    case 'bit varying':
      if (type === 'bit(1)') return boolean(value === '1');
      return schemas ? 'dropped' : text(bitsBase64(value));
    case 'json':
    case 'jsonb':
      return schemas ? literal(value) : text(value);
    case 'hstore': {
      const json = hstoreJson(value);
      return schemas ? literal(json) : text(json);
    }
    case 'point':
      return literal(pointJson(value));
    default:
      return text(value);
  }
}

function decimal(value: string, settings: FeederSettings, freeScale: boolean): Rendered | 'null' {
  if (value === 'NaN') return settings.decimals === 'string' ? text('NAN') : 'null';
  if (settings.decimals === 'string') return text(value);
  if (settings.schemas) return literal(value);
  const base64 = decimalBase64(value);
  return freeScale ? literal(JSON.stringify({ scale: scaleOf(value), value: base64 })) : text(base64);
}

/** Precision 0 to 3 arrives in milliseconds, above in microseconds; converted, it is seconds of the day. */
function timeOfDay(micros: bigint, type: string, settings: FeederSettings): Rendered {
  if (settings.schemas) return literal(scaled(micros, 6));
  return literal(String(precision(type) <= 3 ? micros / 1000n : micros));
}

function timestamp(micros: bigint, type: string, settings: FeederSettings): Rendered {
  if (settings.schemas) return literal(scaled(micros, 3));
  return literal(precision(type) <= 3 ? scaled(micros, 3) : String(micros));
}

function precision(type: string): number {
  return Number(/\((\d)\)/.exec(type)?.[1] ?? 6);
}

function zonedTime(value: string, settings: FeederSettings): Rendered {
  const micros = timestampMicros(`1970-01-02 ${value}`) % 86_400_000_000n;
  return settings.schemas ? literal(scaled(micros, 6)) : text(isoTime(micros, 0));
}

/** Debezium counts a month as 30.4375 days. */
function intervalMicros(value: string): bigint {
  let micros = 0n;
  for (const [, amount = '', unit = ''] of value.matchAll(/(-?\d+) (year|mon|day)/g)) {
    const dayMicros = 86_400_000_000n;
    const units: Record<string, bigint> = {
      year: dayMicros * 365n + dayMicros / 4n,
      mon: 2_629_800_000_000n,
      day: dayMicros,
    };
    micros += BigInt(amount) * (units[unit] ?? 0n);
  }
  const time = /-?\d+:\d\d:\d\d(\.\d+)?$/.exec(value);
  return time ? micros + timeMicros(time[0]) : micros;
}

/** Little endian, without the zero bytes at the end. */
function bitsBase64(bits: string): string {
  const bytes: number[] = [];
  for (let value = BigInt(`0b0${bits}`); value > 0n; value >>= 8n) bytes.push(Number(value & 255n));
  return Buffer.from(bytes).toString('base64');
}

function hstoreJson(value: string): string {
  const pairs = [...value.matchAll(/"((?:[^"\\]|\\.)*)"=>(?:"((?:[^"\\]|\\.)*)"|NULL)/g)];
  const plain = (quoted: string) => quoted.replace(/\\(.)/g, '$1');
  return JSON.stringify(
    Object.fromEntries(
      pairs.map(([, name = '', member]) => [plain(name), member === undefined ? null : plain(member)]),
    ),
  );
}

function pointJson(value: string): string {
  const [x = '0', y = '0'] = value.slice(1, -1).split(',');
  const wkb = Buffer.alloc(21);
  wkb.writeUInt8(1, 0);
  wkb.writeUInt32LE(1, 1);
  wkb.writeDoubleLE(Number(x), 5);
  wkb.writeDoubleLE(Number(y), 13);
  return `{"x":${javaDouble(x).json},"y":${javaDouble(y).json},"wkb":"${wkb.toString('base64')}","srid":null}`;
}

/** Elements are encoded one by one; a hash holds the compact JSON text. */
function array(type: string, value: string, settings: FeederSettings): Rendered {
  const elements = arrayElements(value).map((element) => {
    if (element === null) return 'null';
    const rendered = postgresqlValue(type, element, settings);
    return typeof rendered === 'string' ? 'null' : rendered.json;
  });
  return literal(`[${elements.join(',')}]`);
}

/** `{a,"b c",NULL}` to its elements; one dimension. */
function arrayElements(value: string): (string | null)[] {
  const inside = value.slice(1, -1);
  if (inside === '') return [];
  return [...inside.matchAll(/"((?:[^"\\]|\\.)*)"|([^,]+)/g)].map(([, quoted, plain]) => {
    if (quoted !== undefined) return quoted.replace(/\\(.)/g, '$1');
    return plain === 'NULL' ? null : (plain ?? null);
  });
}
