/**
 * MariaDB's text of a value (binary and bit columns as hex) to what rdi must write, through Debezium's encoding of each
 * column type as recorded from Debezium 2.5 and 3.6, and the conversion of logical types where events carry schemas.
 */
import type { FeederSettings } from './expected-rows.ts';
import {
  boolean,
  dateDays,
  decimalBase64,
  isoInstant,
  javaDouble,
  literal,
  type Rendered,
  scaled,
  text,
  timeMicros,
  timestampMicros,
} from './rendered.ts';

export function mariadbValue(type: string, value: string, settings: FeederSettings): Rendered | 'null' | 'dropped' {
  const { schemas } = settings;
  const name = type.replace(/\(.*/, '').trim();
  switch (name) {
    case 'bigint unsigned':
      return unsignedBigint(value, settings);
    case 'tinyint':
    case 'tinyint unsigned':
    case 'smallint':
    case 'smallint unsigned':
    case 'mediumint':
    case 'mediumint unsigned':
    case 'int':
    case 'int unsigned':
    case 'bigint':
    case 'year':
      return literal(value);
    case 'decimal':
      if (settings.decimals === 'string') return text(value);
      return schemas ? literal(value) : text(decimalBase64(value));
    case 'float':
    case 'double':
      return javaDouble(value);
    case 'bit':
      return bits(type, value, settings);
    case 'binary':
    case 'varbinary':
    case 'blob':
    case 'longblob':
      return text(Buffer.from(value, 'hex').toString('base64'));
    case 'date':
      if (/^0000/.test(value)) return 'null';
      return literal(String(schemas ? dateDays(value) * 86_400_000n : dateDays(value)));
    case 'datetime':
      return /^0000/.test(value) ? 'null' : dateTime(type, timestampMicros(value), settings);
    case 'timestamp':
      return /^0000/.test(value) ? 'null' : timestamp(type, timestampMicros(value), settings);
    case 'time':
      return literal(schemas ? scaled(timeMicros(value), 6) : String(timeMicros(value)));
    case 'point':
    case 'geometry':
      return literal(geometryJson(name, Buffer.from(value, 'hex')));
    default:
      return text(value);
  }
}

function unsignedBigint(value: string, settings: FeederSettings): Rendered {
  // A decimal of its own kind: `decimal.handling.mode` does not change it.
  if (settings.unsignedBigints === 'precise') return settings.schemas ? literal(value) : text(decimalBase64(value));
  return literal(String(BigInt.asIntN(64, BigInt(value))));
}

/** `bit(1)` is a boolean; wider ones are little-endian bytes, as many as the declared width needs. */
function bits(type: string, hex: string, settings: FeederSettings): Rendered | 'dropped' {
  if (type === 'bit(1)') return boolean(hex !== '0');
  if (settings.schemas) return 'dropped';
  const width = Number(/\((\d+)\)/.exec(type)?.[1] ?? 1);
  const bytes = Buffer.from(hex.padStart(Math.ceil(width / 8) * 2, '0'), 'hex').reverse();
  return text(bytes.toString('base64'));
}

/** Precision 0 to 3 arrives in milliseconds, above in microseconds. */
function dateTime(type: string, micros: bigint, settings: FeederSettings): Rendered {
  const precision = Number(/\((\d)\)/.exec(type)?.[1] ?? 0);
  return literal(settings.schemas || precision <= 3 ? scaled(micros, 3) : String(micros));
}

/** Text with as many digits as needed from the snapshot, with as many as the column has from the log. */
function timestamp(type: string, micros: bigint, settings: FeederSettings): Rendered {
  if (settings.schemas) return literal(scaled(micros, 3));
  const precision = Number(/\((\d)\)/.exec(type)?.[1] ?? 0);
  return { ...text(isoInstant(micros, 0)), or: text(isoInstant(micros, precision)) };
}

/** MariaDB's own form is four bytes of SRID, then well-known binary. */
function geometryJson(kind: string, bytes: Buffer): string {
  const srid = bytes.readUInt32LE(0);
  const wkb = bytes.subarray(4);
  const tail = `"wkb":"${wkb.toString('base64')}","srid":${srid === 0 ? 'null' : srid}`;
  if (kind !== 'point') return `{${tail}}`;
  const [x, y] = [5, 13].map((offset) => javaDouble(String(wkb.readDoubleLE(offset))).json);
  return `{"x":${x},"y":${y},${tail}}`;
}
