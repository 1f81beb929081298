import {
  CONNECT,
  DEBEZIUM,
  DROPPED,
  decimal,
  digits,
  json,
  named,
  numbers,
  same,
  type TypeRow,
  texts,
} from './type-table.ts';

const variableScale = {
  type: 'struct',
  fields: [
    { type: 'int32', field: 'scale' },
    { type: 'bytes', field: 'value' },
  ],
  name: `${DEBEZIUM}data.VariableScaleDecimal`,
};
const point = {
  type: 'struct',
  fields: [
    { type: 'double', field: 'x' },
    { type: 'double', field: 'y' },
    { type: 'bytes', optional: true, field: 'wkb' },
    { type: 'int32', optional: true, field: 'srid' },
  ],
  name: `${DEBEZIUM}data.geometry.Point`,
};
const string = { type: 'string' };
const array = (items: object) => ({ type: 'array', items: { optional: true, ...items } });

/** Every column of the recorded table `all_types`, in its order. */
export const POSTGRESQL: readonly TypeRow[] = [
  { column: 'int', schema: { type: 'int32' }, cases: same('1', '2', '3') },
  { column: 'boolean', schema: { type: 'boolean' }, cases: same('true', 'false') },
  { column: 'smallint', schema: { type: 'int16' }, cases: same('32767', '-32768') },
  { column: 'int4', schema: { type: 'int32' }, cases: same('2147483647', '-2147483648') },
  {
    column: 'bigint',
    schema: { type: 'int64' },
    cases: same('9223372036854775807', '-9223372036854775808', '-9007199254740993'),
  },
  { column: 'real', schema: { type: 'float' }, cases: same('1.5', '"-Infinity"', '"NaN"') },
  { column: 'double precision', schema: { type: 'double' }, cases: same('2.718281828459045', '"NaN"') },
  { column: 'numeric(10,2)', schema: decimal(2), cases: texts(['SZYC0g==', digits('12345678.90')], ['/w==', -0.01]) },
  {
    column: 'numeric(20,0)',
    schema: decimal(0),
    cases: texts(['AKtUqYzrHwrS', digits('12345678901234567890')], ['/w==', -1]),
  },
  {
    column: 'numeric',
    schema: variableScale,
    cases: [
      [
        '{"scale":9,"value":"XODppWAV/sWq36MorjmBFQ=="}',
        json('{"scale":9,"value":"XODppWAV/sWq36MorjmBFQ=="}'),
        digits('123456789012345678901234567890.123456789'),
      ],
      ['{"scale":20,"value":"AQ=="}', json('{"scale":20,"value":"AQ=="}'), digits('0.00000000000000000001')],
    ],
  },
  { column: 'money', schema: decimal(2), cases: texts(['AeJA', 1234.56], ['/w==', -0.01]) },
  { column: 'char(5)', schema: string, cases: same('"ab   "', '"     "') },
  { column: 'varchar(40)', schema: string, cases: same('"varchar ü"', '""') },
  {
    column: 'text',
    schema: string,
    cases: [['"text \\uD83D\\uDE42"', 'text 🙂', 'text 🙂'], ...same('"text 🙂"', '""', '"now set"')],
  },
  { column: 'bytea', schema: { type: 'bytes' }, cases: same('"AAECA//+"', '""') },
  {
    column: 'date',
    schema: named('int32', `${DEBEZIUM}time.Date`),
    cases: numbers(['19782', 1709164800000], ['-622191234', '-622191234']),
  },
  {
    column: 'time',
    schema: named('int64', `${DEBEZIUM}time.MicroTime`),
    cases: numbers(['49530123456', 49530.123456], ['0', 0]),
  },
  {
    column: 'time(3)',
    schema: named('int32', `${DEBEZIUM}time.Time`),
    cases: numbers(['49530123', 49530.123], ['86400000', 86400]),
  },
  {
    column: 'timetz',
    schema: named('string', `${DEBEZIUM}time.ZonedTime`),
    cases: texts(['11:15:30.123456Z', 40530.123456], ['00:00:00Z', 0]),
  },
  {
    column: 'timestamp',
    schema: named('int64', `${DEBEZIUM}time.MicroTimestamp`),
    cases: numbers(['1709214330123456', 1709214330123.456], ['-9223372036832400000', '-9223372036832400000']),
  },
  {
    column: 'timestamp(3)',
    schema: named('int64', `${DEBEZIUM}time.Timestamp`),
    cases: numbers(['1709214330123', 1709214330123], ['-1', -1]),
  },
  {
    column: 'timestamp(0)',
    schema: named('int64', `${DEBEZIUM}time.Timestamp`),
    cases: numbers(['1709214330000', 1709214330000], ['-62135596800000', -62135596800000]),
  },
  {
    column: 'timestamptz',
    schema: named('string', `${DEBEZIUM}time.ZonedTimestamp`),
    cases: texts(['2024-02-29T11:45:30.123456Z', 1709207130123.456], ['infinity', 'infinity']),
  },
  {
    column: 'interval',
    schema: named('int64', `${DEBEZIUM}time.MicroDuration`),
    cases: numbers(['37091106789000', DROPPED], ['-86401000000', DROPPED], ['2629800000000', DROPPED]),
  },
  {
    column: 'uuid',
    schema: named('string', `${DEBEZIUM}data.Uuid`),
    cases: same('"6f1c1d0e-1234-4abc-8def-000000000001"', '"00000000-0000-0000-0000-000000000000"'),
  },
  {
    column: 'json',
    schema: named('string', `${DEBEZIUM}data.Json`),
    cases: texts(['{"a": 1,  "b":[true,null]}', json('{"a": 1,  "b":[true,null]}')], ['null', json('null')]),
  },
  {
    column: 'jsonb',
    schema: named('string', `${DEBEZIUM}data.Json`),
    cases: texts(
      ['{"a": 1.50, "b": [true, null]}', json('{"a": 1.50, "b": [true, null]}')],
      ['null', json('null')],
      ['{"n": 12345678901234567890.5}', json('{"n": 12345678901234567890.5}')],
    ),
  },
  { column: 'xml', schema: named('string', `${DEBEZIUM}data.Xml`), cases: same('"<r a=\\"1\\">x</r>"') },
  { column: 'inet', schema: string, cases: same('"192.168.1.10/24"', '"::1"') },
  { column: 'cidr', schema: string, cases: same('"10.0.0.0/8"', '"::/0"') },
  { column: 'macaddr', schema: string, cases: same('"08:00:2b:01:02:03"', '"00:00:00:00:00:00"') },
  { column: 'macaddr8', schema: string, cases: same('"08:00:2b:01:02:03:04:05"') },
  {
    column: 'point',
    schema: point,
    cases: same(
      '{"x":1.5,"y":-2.0,"wkb":"AQEAAAAAAAAAAAD4PwAAAAAAAADA","srid":null}',
      '{"x":0.0,"y":0.0,"wkb":"AQEAAAAAAAAAAAAAAAAAAAAAAAAA","srid":null}',
    ),
  },
  { column: 'bit(1)', schema: { type: 'boolean' }, cases: same('true', 'false') },
  {
    column: 'bit(12)',
    schema: named('bytes', `${DEBEZIUM}data.Bits`, { parameters: { length: '12' } }),
    cases: texts(['Dws=', DROPPED], ['', DROPPED]),
  },
  {
    column: 'bit varying(10)',
    schema: named('bytes', `${DEBEZIUM}data.Bits`, { parameters: { length: '10' } }),
    cases: texts(['BQ==', DROPPED], ['', DROPPED]),
  },
  { column: 'int4range', schema: string, cases: same('"[1,10)"', '"empty"') },
  { column: 'int8range', schema: string, cases: same('"[1,9007199254740993)"', '"(,)"') },
  { column: 'numrange', schema: string, cases: same('"[1.5,2.5]"', '"[0,0]"') },
  {
    column: 'tsrange',
    schema: string,
    cases: same('"[\\"2024-01-01 00:00:00\\",\\"2024-02-01 00:00:00\\")"', '"(,\\"2024-01-01 00:00:00\\")"'),
  },
  { column: 'tstzrange', schema: string, cases: same('"[\\"2024-01-01 00:00:00+00\\",\\"2024-02-01 00:00:00+00\\")"') },
  { column: 'daterange', schema: string, cases: same('"[2024-01-01,2024-02-01)"', '"empty"') },
  {
    column: 'enum',
    schema: named('string', `${DEBEZIUM}data.Enum`, { parameters: { allowed: 'sad,ok,happy' } }),
    cases: same('"ok"', '"sad"'),
  },
  { column: 'int[]', schema: array({ type: 'int32' }), cases: same('[1,2,null]', '[]', '[9,8]') },
  { column: 'text[]', schema: array(string), cases: same('["a","b c",null]', '[]', '["\\u00e4\\uD83D\\uDE42"]') },
  {
    column: 'numeric(8,2)[]',
    schema: array(decimal(2)),
    cases: [
      ['["AJY=","AOE="]', json('["AJY=","AOE="]'), json('[1.50,2.25]')],
      ['["AJY=",null]', json('["AJY=",null]'), json('[1.50,null]')],
      ['[]', json('[]'), json('[]')],
    ],
  },
  {
    column: 'timestamp[]',
    schema: array(named('int64', `${DEBEZIUM}time.MicroTimestamp`)),
    cases: [
      ['[1709214330500000]', json('[1709214330500000]'), json('[1709214330500]')],
      ['[]', json('[]'), json('[]')],
    ],
  },
  {
    column: 'hstore',
    schema: named('string', `${DEBEZIUM}data.Json`),
    cases: texts(['{"a":"1","b":null,"c d":"e f"}', json('{"a":"1","b":null,"c d":"e f"}')], ['{}', json('{}')]),
  },
  { column: 'ltree', schema: named('string', `${DEBEZIUM}data.Ltree`), cases: same('"top.science.astro"', '"a"') },
  { column: 'citext', schema: string, cases: same('"CiText"', '""') },
  { column: 'oid', schema: { type: 'int64' }, cases: same('4294967295', '0') },
  { column: 'domain over int', schema: { type: 'int32' }, cases: same('7', '1') },
  { column: 'tsvector', schema: named('string', `${DEBEZIUM}data.Tsvector`), cases: same("\"'a' 'cat' 'fat'\"", '""') },
];

const connectTime = named('int32', `${CONNECT}Time`);
const connectTimestamp = named('int64', `${CONNECT}Timestamp`);

/** Columns four and five of the recorded table: string, connect, hex, map; double, isostring, base64. */
export const POSTGRESQL_MODES: readonly TypeRow[] = [
  { column: 'numeric(10,2) as string', schema: string, cases: same('"12345678.90"', '"-0.01"') },
  { column: 'numeric(10,2) as double', schema: { type: 'double' }, cases: same('1.23456789E7', '-0.01') },
  { column: 'numeric(20,0) as string', schema: string, cases: same('"12345678901234567890"', '"-1"') },
  { column: 'numeric(20,0) as double', schema: { type: 'double' }, cases: same('1.2345678901234567E19', '-1.0') },
  { column: 'numeric as string', schema: string, cases: same('"123456789012345678901234567890.123456789"', '"NAN"') },
  { column: 'numeric as double', schema: { type: 'double' }, cases: same('1.2345678901234568E29', '"NaN"') },
  { column: 'money as string', schema: string, cases: same('"1234.56"', '"-0.01"') },
  { column: 'money as double', schema: { type: 'double' }, cases: same('1234.56', '-0.01') },
  { column: 'bytea as hex', schema: string, cases: same('"00010203fffe"', '""') },
  { column: 'bytea as base64', schema: string, cases: same('"AAECA//+"', '""') },
  { column: 'date as connect', schema: named('int32', `${CONNECT}Date`), cases: numbers(['19782', 1709164800000]) },
  {
    column: 'date as isostring',
    schema: named('string', `${DEBEZIUM}time.IsoDate`),
    cases: same('"2024-02-29Z"', '"+292278994-08-16Z"'),
  },
  { column: 'time as connect', schema: connectTime, cases: numbers(['49530123', 49530.123]) },
  {
    column: 'time as isostring',
    schema: named('string', `${DEBEZIUM}time.IsoTime`),
    cases: same('"13:45:30.123456Z"', '"00:00:00Z"'),
  },
  { column: 'time(3) as connect', schema: connectTime, cases: numbers(['49530123', 49530.123]) },
  {
    column: 'time(3) as isostring',
    schema: named('string', `${DEBEZIUM}time.IsoTime`),
    cases: same('"13:45:30.123Z"', '"00:00:00Z"'),
  },
  {
    column: 'timestamp as connect',
    schema: connectTimestamp,
    cases: numbers(['1709214330123', 1709214330123], ['-9223372036832400', '-9223372036832400']),
  },
  {
    column: 'timestamp as isostring',
    schema: named('string', `${DEBEZIUM}time.IsoTimestamp`),
    cases: same('"2024-02-29T13:45:30.123456Z"', '"-290308-12-21T19:59:27.6Z"'),
  },
  {
    column: 'timestamp(3) as connect',
    schema: connectTimestamp,
    cases: numbers(['1709214330123', 1709214330123], ['-1', -1]),
  },
  {
    column: 'timestamp(3) as isostring',
    schema: named('string', `${DEBEZIUM}time.IsoTimestamp`),
    cases: same('"2024-02-29T13:45:30.123Z"', '"1969-12-31T23:59:59.999Z"'),
  },
  {
    column: 'timestamp(0) as connect',
    schema: connectTimestamp,
    cases: numbers(['1709214330000', 1709214330000], ['-62135596800000', -62135596800000]),
  },
  {
    column: 'timestamp(0) as isostring',
    schema: named('string', `${DEBEZIUM}time.IsoTimestamp`),
    cases: same('"2024-02-29T13:45:30Z"', '"0001-01-01T00:00:00Z"'),
  },
  {
    column: 'interval as string',
    schema: named('string', `${DEBEZIUM}time.Interval`),
    cases: texts(['P1Y2M3DT4H5M6.789S', DROPPED], ['P0Y0M-1DT0H0M-1S', DROPPED]),
  },
  { column: 'numeric(8,2)[] as string', schema: array(string), cases: same('["1.50","2.25"]') },
  { column: 'numeric(8,2)[] as double', schema: array({ type: 'double' }), cases: same('[1.5,2.25]') },
  {
    column: 'timestamp[] as connect',
    schema: array(connectTimestamp),
    cases: same('[1709214330500]'),
  },
  {
    column: 'timestamp[] as isostring',
    schema: array(named('string', `${DEBEZIUM}time.IsoTimestamp`)),
    cases: same('["2024-02-29T13:45:30.5Z"]'),
  },
  {
    column: 'hstore as map',
    schema: { type: 'map', keys: string, values: { ...string, optional: true } },
    cases: same('{"a":"1","b":null,"c d":"e f"}', '{}'),
  },
];
