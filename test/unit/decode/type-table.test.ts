import { describe, expect, it } from 'vitest';
import { rowOf, World } from './entries.ts';
import { DROPPED, type TypeRow } from './type-table.ts';
import { MARIADB, MORE_TYPES } from './type-table-more.ts';
import { POSTGRESQL, POSTGRESQL_MODES } from './type-table-postgresql.ts';

/** One event with the literal in column `c`, with or without the schema of its type. */
function decodeColumn(row: TypeRow, literal: string, withSchema: boolean) {
  const world = new World();
  const source =
    '{"connector":"postgresql","name":"shop","ts_ms":1,"snapshot":"false","db":"d","schema":"s","table":"t"}';
  const payload = `{"before":null,"after":{"id":1,"c":${literal},"z":"end"},"source":${source},"op":"c"}`;
  const fields = [
    { type: 'int32', field: 'id' },
    { optional: true, ...row.schema, field: 'c' },
    { type: 'string', field: 'z' },
  ];
  const rowSchema = { type: 'struct', fields, optional: true };
  const schema = {
    type: 'struct',
    fields: [
      { ...rowSchema, field: 'before' },
      { ...rowSchema, field: 'after' },
    ],
  };
  const value = withSchema ? `{"schema":${JSON.stringify(schema)},"payload":${payload}}` : payload;
  // Twice: the second event takes the fast path and must not differ.
  const first = rowOf(world.change('{"id":1}', value).after)!;
  const second = rowOf(world.change('{"id":1}', value).after)!;
  expect(second).toEqual(first);
  expect(first).toMatchObject({ id: 1, z: 'end' });
  return { value: 'c' in first ? first['c'] : DROPPED, world };
}

function testRows(rows: readonly TypeRow[]): void {
  for (const row of rows) {
    for (const [literal, raw, converted] of row.cases) {
      it(`${row.column}: ${literal} is kept as it is without schema`, () => {
        expect(decodeColumn(row, literal, false).value).toEqual(raw);
      });
      it(`${row.column}: ${literal} is converted with schema`, () => {
        expect(decodeColumn(row, literal, true).value).toEqual(converted);
      });
    }
    it(`${row.column}: null stays null`, () => {
      expect(decodeColumn(row, 'null', false).value).toBeNull();
      const { value } = decodeColumn(row, 'null', true);
      expect(value).toBe(row.cases[0]![2] === DROPPED ? DROPPED : null);
    });
  }
}

describe('PostgreSQL 15, default modes', () => testRows(POSTGRESQL));
describe('PostgreSQL 15, other handling modes', () => testRows(POSTGRESQL_MODES));
describe('MariaDB 10.11', () => testRows(MARIADB));
describe('types that are not recorded', () => testRows(MORE_TYPES));

describe('what is reported', () => {
  const bits: TypeRow = { column: 'bit(12)', schema: { type: 'bytes', name: 'io.debezium.data.Bits' }, cases: [] };
  const date: TypeRow = { column: 'date', schema: { type: 'int32', name: 'io.debezium.time.Date' }, cases: [] };

  it('a column without form in Redis is reported once', () => {
    expect(decodeColumn(bits, '"Dws="', true).world.dropped).toEqual(['c']);
  });
  it('each infinite date is reported', () => {
    expect(decodeColumn(date, '-622191234', true).world.unconverted).toEqual(['c', 'c']);
  });
  it('a literal that its type cannot hold names column and type in the reason', () => {
    for (const [schema, literal] of [
      [{ type: 'int32', name: 'io.debezium.time.Date' }, '"x"'],
      [{ type: 'int32', name: 'io.debezium.time.Date' }, '1.5'],
      [{ type: 'bytes', name: 'org.apache.kafka.connect.data.Decimal', parameters: { scale: '2' } }, '"=="'],
      [{ type: 'bytes', name: 'org.apache.kafka.connect.data.Decimal', parameters: { scale: '2' } }, '"a?=="'],
      [{ type: 'string', name: 'io.debezium.time.ZonedTimestamp' }, '"2024-02-30T00:00:00Z"'],
      [{ type: 'string', name: 'io.debezium.time.ZonedTime' }, '7'],
    ] as const) {
      expect(() => decodeColumn({ column: '', schema, cases: [] }, literal, true)).toThrow(
        /DECODE_BAD_VALUE.*column \\"c\\"/,
      );
    }
  });
});
