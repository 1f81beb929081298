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

const string = { type: 'string' };
const bytes = { type: 'bytes' };

/** Every column of the recorded MariaDB table `all_types`. */
export const MARIADB: readonly TypeRow[] = [
  { column: 'int', schema: { type: 'int32' }, cases: same('1', '2', '3') },
  { column: 'tinyint(1)', schema: { type: 'int16' }, cases: same('1', '0') },
  { column: 'tinyint', schema: { type: 'int16' }, cases: same('127', '-128') },
  { column: 'tinyint unsigned', schema: { type: 'int16' }, cases: same('255', '0') },
  { column: 'smallint', schema: { type: 'int16' }, cases: same('32767', '-32768') },
  { column: 'smallint unsigned', schema: { type: 'int32' }, cases: same('65535', '0') },
  { column: 'mediumint', schema: { type: 'int32' }, cases: same('8388607', '-8388608') },
  { column: 'mediumint unsigned', schema: { type: 'int32' }, cases: same('16777215', '0') },
  { column: 'int signed', schema: { type: 'int32' }, cases: same('2147483647', '-2147483648') },
  { column: 'int unsigned', schema: { type: 'int64' }, cases: same('4294967295', '0') },
  { column: 'bigint', schema: { type: 'int64' }, cases: same('9223372036854775807', '-9223372036854775808') },
  { column: 'bigint unsigned', schema: { type: 'int64' }, cases: same('-1', '0', '9007199254740993') },
  {
    column: 'decimal(10,2)',
    schema: decimal(2),
    cases: texts(['SZYC0g==', digits('12345678.90')], ['/w==', -0.01], ['Cg==', digits('0.10')]),
  },
  {
    column: 'decimal(20,0)',
    schema: decimal(0),
    cases: texts(['AKtUqYzrHwrS', digits('12345678901234567890')], ['/w==', -1]),
  },
  {
    column: 'decimal(38,10)',
    schema: decimal(10),
    cases: texts(
      ['CUmw9vACMxPESZBOzGdFFQ==', digits('1234567890123456789012345678.0123456789')],
      ['/w==', digits('-0.0000000001')],
    ),
  },
  { column: 'float', schema: { type: 'float' }, cases: same('1.5', '-1.0E30') },
  { column: 'double', schema: { type: 'double' }, cases: same('2.718281828459045', '1.0E-300') },
  { column: 'bit(1)', schema: { type: 'boolean' }, cases: same('true', 'false') },
  {
    column: 'bit(10)',
    schema: named('bytes', `${DEBEZIUM}data.Bits`, { parameters: { length: '10' } }),
    cases: texts(['wwI=', DROPPED], ['AAA=', DROPPED]),
  },
  {
    column: 'bit(64)',
    schema: named('bytes', `${DEBEZIUM}data.Bits`, { parameters: { length: '64' } }),
    cases: texts(['/v////////8=', DROPPED], ['AAAAAAAAAAA=', DROPPED]),
  },
  { column: 'char(5)', schema: string, cases: same('"ab"', '""') },
  { column: 'varchar(40)', schema: string, cases: same('"varchar ü"', '""') },
  { column: 'binary(4)', schema: bytes, cases: same('"AQIAAA=="', '"AAAAAA=="') },
  { column: 'varbinary(10)', schema: bytes, cases: same('"AP8="', '""') },
  { column: 'blob', schema: bytes, cases: same('"YmxvYg=="', '""') },
  { column: 'longblob', schema: bytes, cases: same('"3q2+7w=="', '""') },
  { column: 'tinytext', schema: string, cases: same('"tt"', '""') },
  { column: 'text', schema: string, cases: same('"text 🙂"', '""', '"now set"') },
  { column: 'longtext', schema: string, cases: same('"long"', '""') },
  { column: 'date', schema: named('int32', `${DEBEZIUM}time.Date`), cases: numbers(['19782', 1709164800000]) },
  {
    column: 'datetime',
    schema: named('int64', `${DEBEZIUM}time.Timestamp`),
    cases: numbers(['1709214330000', 1709214330000]),
  },
  {
    column: 'datetime(3)',
    schema: named('int64', `${DEBEZIUM}time.Timestamp`),
    cases: numbers(['1709214330123', 1709214330123], ['-30610223999999', -30610223999999]),
  },
  {
    column: 'datetime(6)',
    schema: named('int64', `${DEBEZIUM}time.MicroTimestamp`),
    cases: numbers(['1709214330123456', 1709214330123.456], ['253402300799999999', digits('253402300799999.999')]),
  },
  {
    column: 'timestamp',
    schema: named('string', `${DEBEZIUM}time.ZonedTimestamp`),
    cases: texts(['2024-02-29T13:45:30Z', 1709214330000]),
  },
  {
    column: 'timestamp(6)',
    schema: named('string', `${DEBEZIUM}time.ZonedTimestamp`),
    cases: texts(['2024-02-29T13:45:30.123456Z', 1709214330123.456], ['1970-01-01T00:00:01.000001Z', 1000.001]),
  },
  {
    column: 'time',
    schema: named('int64', `${DEBEZIUM}time.MicroTime`),
    cases: numbers(['49530000000', 49530], ['0', 0]),
  },
  {
    column: 'time(6)',
    schema: named('int64', `${DEBEZIUM}time.MicroTime`),
    cases: numbers(['-3020399000000', -3020399], ['3020398999999', 3020398.999999]),
  },
  { column: 'year', schema: named('int32', `${DEBEZIUM}time.Year`), cases: same('2024', '1901') },
  { column: 'enum', schema: named('string', `${DEBEZIUM}data.Enum`), cases: same('"c d"', '"a"') },
  { column: 'set', schema: named('string', `${DEBEZIUM}data.EnumSet`), cases: same('"x,z"', '""', '"y"') },
  {
    column: 'json',
    schema: string,
    cases: same('"{\\"a\\": 1,  \\"b\\":[true,null]}"', '"null"', '"{\\"n\\":12345678901234567890.5}"'),
  },
  {
    column: 'point',
    schema: named('struct', `${DEBEZIUM}data.geometry.Point`, { fields: [{ type: 'double', field: 'x' }] }),
    cases: same('{"x":1.5,"y":-2.0,"wkb":"AQEAAAAAAAAAAAD4PwAAAAAAAADA","srid":null}'),
  },
  {
    column: 'geometry',
    schema: named('struct', `${DEBEZIUM}data.geometry.Geometry`, { fields: [{ type: 'bytes', field: 'wkb' }] }),
    cases: same('{"wkb":"AQIAAAACAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAPA/AAAAAAAA8D8=","srid":null}'),
  },
  { column: 'generated int', schema: { type: 'int32' }, cases: same('2147483647', '-2147483647') },
  { column: 'latin1 varchar', schema: string, cases: same('"é"', '""') },
];

/** The remaining rows of the conversion table, and the edges between doubles and exact digits. */
export const MORE_TYPES: readonly TypeRow[] = [
  {
    column: 'decimal, documented example',
    schema: decimal(2),
    cases: texts(['GvMbUA==', 4521398.56], ['AA==', digits('0.00')]),
  },
  { column: 'decimal with negative scale', schema: decimal(-2), cases: texts(['BQ==', 500], ['AA==', 0]) },
  {
    column: 'decimal of six and eight bytes',
    schema: decimal(0),
    cases: texts(
      ['f/////////8=', digits('9223372036854775807')],
      ['gAAAAAAA', -140737488355328],
      ['f///////', 140737488355327],
    ),
  },
  {
    column: 'decimal as number (decimal.format=NUMERIC)',
    schema: decimal(2),
    cases: same('19.90', '7', '12345678901234567890.12'),
  },
  {
    column: 'NanoTime',
    schema: named('int64', `${DEBEZIUM}time.NanoTime`),
    cases: numbers(['51826000000000', 51826], ['49530123456789', 49530.123456789], ['1', digits('0.000000001')]),
  },
  {
    column: 'MicroTime of one µs',
    schema: named('int64', `${DEBEZIUM}time.MicroTime`),
    cases: numbers(['1', 0.000001], ['-1', -0.000001], ['51826000000', 51826]),
  },
  {
    column: 'Timestamp',
    schema: named('int64', `${DEBEZIUM}time.Timestamp`),
    cases: numbers(
      ['1529507596945', 1529507596945],
      ['8640000000000000', 8640000000000000],
      ['8640000000000001', '8640000000000001'],
    ),
  },
  {
    column: 'MicroTimestamp',
    schema: named('int64', `${DEBEZIUM}time.MicroTimestamp`),
    cases: numbers(
      ['1529507596945104', 1529507596945.104],
      ['-1', -0.001],
      ['-1500', -1.5],
      ['-999', -0.999],
      ['-62135596799999999', digits('-62135596799999.999')],
    ),
  },
  {
    column: 'NanoTimestamp',
    schema: named('int64', `${DEBEZIUM}time.NanoTimestamp`),
    cases: numbers(
      ['1709214330123456000', 1709214330123.456],
      ['1709214330123456789', digits('1709214330123.456789')],
      ['-1', -0.000001],
    ),
  },
  {
    column: 'ZonedTimestamp',
    schema: named('string', `${DEBEZIUM}time.ZonedTimestamp`),
    cases: texts(
      ['2021-12-30T12:23:46Z', 1640867026000],
      ['2021-12-30T14:23:46+02:00', 1640867026000],
      ['2021-12-30T06:53:46.5-05:30', 1640867026500],
      ['1969-12-31T23:59:59.999999Z', -0.001],
      ['0001-01-01T00:00:00Z', -62135596800000],
      ['9999-12-31T23:59:59.999999Z', digits('253402300799999.999')],
      ['+275760-09-13T00:00:00Z', 8640000000000000],
      ['+275760-09-13T00:00:01Z', '+275760-09-13T00:00:01Z'],
      ['+292278994-08-17T07:12:55.807Z', '+292278994-08-17T07:12:55.807Z'],
      ['-0043-03-15T12:00:00Z', -63517780800000],
      ['-infinity', '-infinity'],
    ),
  },
  {
    column: 'ZonedTime',
    schema: named('string', `${DEBEZIUM}time.ZonedTime`),
    cases: texts(
      ['12:23:46.12345Z', 44626.12345],
      ['07:15:00Z', 26100],
      ['24:00:00Z', 86400],
      ['01:00:00+02:00', 82800],
      ['07:15Z', 26100],
    ),
  },
  {
    column: 'connect Date',
    schema: named('int32', `${CONNECT}Date`),
    cases: numbers(['18656', 1611878400000], ['-1', -86400000]),
  },
  { column: 'NanoDuration', schema: named('int64', `${DEBEZIUM}time.NanoDuration`), cases: numbers(['1', DROPPED]) },
  {
    column: 'array of bits',
    schema: { type: 'array', items: named('bytes', `${DEBEZIUM}data.Bits`) },
    cases: [['["AA=="]', json('["AA=="]'), DROPPED]],
  },
  {
    column: 'array of numeric without scale',
    schema: {
      type: 'array',
      items: named('struct', `${DEBEZIUM}data.VariableScaleDecimal`, { fields: [{ type: 'int32', field: 'scale' }] }),
    },
    cases: [['[{"scale":1,"value":"Dw=="},null]', json('[{"scale":1,"value":"Dw=="},null]'), json('[1.5,null]')]],
  },
  {
    column: 'array of json',
    schema: { type: 'array', items: named('string', `${DEBEZIUM}data.Json`) },
    cases: [['["{\\"a\\": 1.50}"]', json('["{\\"a\\": 1.50}"]'), json('[{"a": 1.50}]')]],
  },
  {
    column: 'struct with a date inside',
    schema: {
      type: 'struct',
      fields: [
        { ...named('int32', `${DEBEZIUM}time.Date`), field: 'd' },
        { type: 'string', field: 's' },
      ],
    },
    cases: [['{"d":1,"s":"x"}', json('{"d":1,"s":"x"}'), json('{"d":86400000,"s":"x"}')]],
  },
  {
    column: 'FloatVector',
    schema: { type: 'array', items: { type: 'float' }, name: `${DEBEZIUM}data.FloatVector` },
    cases: same('[1.0,2.5]'),
  },
  { column: 'Json that is no JSON', schema: named('string', `${DEBEZIUM}data.Json`), cases: same('"{oops"') },
];
