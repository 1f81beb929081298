import { describe, expect, it } from 'vitest';
import { entryOf, type RecordedEntry, recorded, rowOf, World } from './entries.ts';
import { canonical, comparableEvent, decodeSlowly, NO_VALUE, parseExact } from './reference.ts';

const PG = { r: 83, c: 612, u: 345, d: 114 };
const MY = { r: 36, c: 609, u: 340, d: 109 };

/** Tables, plus one for the altered table; Debezium 2.5 writes `näme` in two ways, one of them damaged. */
const SHAPES: Record<string, number> = { 'pg-3.6': 10, 'pg-2.5': 11, 'my-3.6': 7 };

/** Key and value texts of a recorded entry, whichever format it has. */
function textsOf({ fields, stream }: RecordedEntry) {
  if (fields.length === 1)
    return { key: fields[0]![0], value: fields[0]![1], headers: new Map<string, string>(), streamName: stream };
  const all = new Map(fields);
  return { key: all.get('key')!, value: all.get('value')!, headers: all, streamName: stream };
}

function decodeSet(set: string) {
  const world = new World();
  const counts: Record<string, number> = {};
  const events = recorded(set).map((entry) => {
    const decoded = world.decoder.decode(entryOf(world.stream(entry.stream), entry.fields));
    const label =
      decoded.kind === 'change' ? decoded.op : decoded.kind === 'control' ? decoded.control : decoded.reason;
    counts[label] = (counts[label] ?? 0) + 1;
    return { entry, decoded };
  });
  return { world, counts, events };
}

describe.each([
  ['pg-3.6-extended', { ...PG, tombstone: 114, message: 1 }],
  ['pg-3.6-extended-schemas', { ...PG, tombstone: 114, message: 1 }],
  ['pg-3.6-compact-schemas', { ...PG, tombstone: 114, message: 1 }],
  ['pg-3.6-rdi', { ...PG, tombstone: 114, message: 1, heartbeat: 17, transaction: 68 }],
  ['pg-2.5-extended', { ...PG, tombstone: 114, message: 1 }],
  ['pg-3.6-flat', { ...PG, message: 1 }],
  ['pg-3.6-cloudevents', { ...PG, tombstone: 115 }],
  ['my-3.6-extended', { ...MY, tombstone: 109, 'schema-change': 17 }],
  ['my-3.6-extended-schemas', { ...MY, tombstone: 109, 'schema-change': 17 }],
])('%s', (set, expected) => {
  const { counts, events } = decodeSet(set);

  it('decodes to the changes that the source made, and nothing is rejected', () => {
    expect(counts).toEqual(expected);
  });

  // CloudEvents are compared with the same rows in other forms, below.
  const compare = set === 'pg-3.6-cloudevents' ? () => {} : it;
  compare('decodes each entry as JSON.parse and the specification would', () => {
    for (const { entry, decoded } of events) {
      const slow = decodeSlowly(textsOf(entry));
      if (slow !== NO_VALUE) expect(comparableEvent(decoded)).toEqual(slow);
      else expect(decoded).toEqual({ kind: 'control', control: 'tombstone' });
    }
  });

  it('keeps one names array per table and shape', () => {
    const shapes = new Map<string, readonly string[]>();
    for (const { entry, decoded } of events) {
      if (decoded.kind !== 'change' || decoded.after === null) continue;
      const { names } = decoded.after;
      const id = `${entry.stream} ${names.join()}`;
      expect(names).toBe(shapes.get(id) ?? names);
      shapes.set(id, names);
    }
    expect(shapes.size).toBe(SHAPES[set.slice(0, 6)]);
  });
});

describe('rows of the same source', () => {
  /** Last state by table and key, for one set. */
  function fold(set: string): Map<string, string> {
    const rows = new Map<string, string>();
    for (const { decoded } of decodeSet(set).events) {
      if (decoded.kind !== 'change' || decoded.key === null) continue;
      const id = `${decoded.table.table} ${JSON.stringify(rowOf(decoded.key))}`;
      if (decoded.op === 'd') rows.delete(id);
      // `created` holds the time at which each set was recorded; a partial row is no last state.
      else if (!decoded.after!.partial) rows.set(id, JSON.stringify({ ...rowOf(decoded.after), created: null }));
    }
    return rows;
  }

  it('are equal whether they came in extended, compact or RDI form', () => {
    const extended = fold('pg-3.6-extended');
    expect(extended.size).toBeGreaterThan(500);
    expect(fold('pg-3.6-rdi')).toEqual(extended);
    expect(fold('pg-3.6-flat')).toEqual(extended);
    const withSchemas = fold('pg-3.6-extended-schemas');
    expect(fold('pg-3.6-compact-schemas')).toEqual(withSchemas);
    expect(fold('pg-3.6-cloudevents')).toEqual(withSchemas);
  });

  it('hold unchanged TOAST values as unavailable, beside neighbours that changed', () => {
    const partial = decodeSet('pg-3.6-extended').events.flatMap(({ decoded }) =>
      decoded.kind === 'change' && decoded.after?.partial ? [rowOf(decoded.after)] : [],
    );
    expect(partial.length).toBeGreaterThan(0);
    expect(partial[0]).toMatchObject({ title: 'retitled', body: { unavailable: true } });
    expect(JSON.stringify(partial)).not.toContain('debezium_unavailable');
  });

  it('hold json columns byte for byte', () => {
    for (const { entry, decoded } of decodeSet('pg-3.6-extended-schemas').events) {
      if (decoded.kind !== 'change' || decoded.after === null || !decoded.after.names.includes('c_jsonb')) continue;
      const payload = (
        JSON.parse(new Map(entry.fields).get('value')!) as { payload: { after: Record<string, unknown> } }
      ).payload;
      const { c_json, c_jsonb } = rowOf(decoded.after) as Record<string, { json: string } | null>;
      expect([c_json?.json ?? null, c_jsonb?.json ?? null]).toEqual([
        payload.after['c_json'],
        payload.after['c_jsonb'],
      ]);
    }
  });
});

describe('damaging settings', () => {
  const propertiesOf = (set: string) =>
    decodeSet(set).world.warnings.map(({ stream, property }) => `${stream} ${property}`);
  const decimals = 'debezium.source.decimal.handling.mode=string';

  it('are told once per stream from what only they produce', () => {
    expect(propertiesOf('pg-3.6-extended')).toEqual([`shop.shop.all_types ${decimals}`]);
    expect(propertiesOf('my-3.6-extended').sort()).toEqual(
      [
        `shop.shop.Odd_Table-1 ${decimals}`,
        'shop.shop.all_types debezium.source.bigint.unsigned.handling.mode=precise',
        ...['all_types', 'customers', 'order_lines'].map((table) => `shop.shop.${table} ${decimals}`),
      ].sort(),
    );
    const nulls = 'shop.shop.customers debezium.format.value.replace.null.with.default=false';
    for (const set of [
      'pg-3.6-extended-schemas',
      'pg-3.6-compact-schemas',
      'pg-3.6-cloudevents',
      'my-3.6-extended-schemas',
    ]) {
      expect(propertiesOf(set)).toEqual([nulls]);
    }
  });
});

describe('the reference itself', () => {
  it('keeps digits and ignores only blanks, escapes and order', () => {
    expect(canonical(parseExact('{"b": 1.0, "a": ["\\u00e4", 12345678901234567890]}'))).toBe(
      '{"a":["ä",12345678901234567890],"b":1.0}',
    );
  });
});
