import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compactJson } from '../../../src/decode/index.ts';
import { Scanner } from '../../../src/decode/scanner.ts';
import { encodeTree, parseTree } from '../../../src/decode/tree.ts';
import type { StreamEntry } from '../../../src/types.ts';
import { entryOf, recorded, streamNamed, World } from './entries.ts';
import { canonical, comparableEvent, decodeSlowly, NO_VALUE, parseExact } from './reference.ts';

/** Mutated events to compare; raise it for a long run: `DECODE_FUZZ=1000000 npx vitest run --project unit test/unit/decode/fuzz.test.ts`. */
const EVENTS = Number(process.env['DECODE_FUZZ'] ?? 30_000);
const SEED = Number(process.env['DECODE_FUZZ_SEED'] ?? 20260101);

/** A small generator with a seed (xorshift), because a failing run must be repeatable. */
function randomOf(seed: number): (limit: number) => number {
  let state = seed | 0 || 1;
  return (limit) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % limit;
  };
}

const SNIPPETS = [
  ...[
    '"',
    '\\',
    '{',
    '}',
    '[',
    ']',
    ',',
    ':',
    ' ',
    '\n',
    '-',
    '0',
    '1',
    '.',
    'e',
    'null',
    'true',
    'false',
    '\u0000',
    '\u001f',
  ],
  ...[
    '"a":1,',
    ',"a":1',
    '"id":',
    '\\u00e4',
    '\\ud83d',
    '\\x',
    'ä',
    '🙂',
    '9007199254740993',
    '1.50',
    '1e400',
    '-0',
    '01',
    '"__deleted":"true",',
  ],
  ...['{"schema":null,"payload":', '"op":"d"', '"source":{', '__debezium_unavailable_value', '[[[[', '{}', '[]', 'NaN'],
];

function mutate(text: string, random: (limit: number) => number): string {
  let mutated = text;
  for (let times = 1 + random(3); times > 0; times--) {
    const at = random(mutated.length + 1);
    const end = Math.min(mutated.length, at + random(random(4) === 0 ? 60 : 4));
    const snippet = SNIPPETS[random(SNIPPETS.length)]!;
    switch (random(6)) {
      case 0:
        mutated = mutated.slice(0, at) + snippet + mutated.slice(at);
        break;
      case 1:
        mutated = mutated.slice(0, at) + snippet + mutated.slice(end);
        break;
      case 2:
        mutated = mutated.slice(0, at) + mutated.slice(end);
        break;
      case 3:
        mutated = mutated.slice(0, end) + mutated.slice(at);
        break;
      case 4:
        mutated = replaceToken(mutated, random);
        break;
      default:
        mutated = replaceToken(mutated, random).replace(/[,:]/g, (mark) => (random(8) === 0 ? ` ${mark}\t` : mark));
    }
  }
  // A cut through a surrogate pair cannot be sent as UTF-8.
  return mutated.toWellFormed();
}

/** Puts another value or name where one stands, so that many mutants stay valid JSON. */
function replaceToken(text: string, random: (limit: number) => number): string {
  const tokens = [...text.matchAll(/"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*|null|true|false/g)];
  if (tokens.length === 0) return text;
  const token = tokens[random(tokens.length)]!;
  const other =
    random(2) === 0
      ? tokens[random(tokens.length)]![0]
      : ['null', '1.0', '"x"', '{"a": [1.10]}', '"\\u0041"', '-1', '"id"'][random(7)]!;
  return text.slice(0, token.index) + other + text.slice(token.index + token[0].length);
}

const SETS = ['pg-3.6-extended', 'pg-3.6-rdi', 'pg-3.6-flat', 'my-3.6-extended', 'pg-3.6-extended-schemas'];

describe('mutated events', () => {
  it(`decode as the slow reference decodes them, ${EVENTS} times`, { timeout: 600_000 }, () => {
    const random = randomOf(SEED);
    let compared = 0;
    let changes = 0;
    for (const set of SETS) {
      const entries = recorded(set);
      const rounds = EVENTS / SETS.length / (set.endsWith('schemas') ? 4 : 1);
      const world = new World();
      for (let round = 0; round < rounds; round++) {
        const entry = entries[random(entries.length)]!;
        const stream = world.stream(entry.stream);
        // Learns from the original first, so that mutants meet the fast path.
        world.decoder.decode(entryOf(stream, entry.fields));
        const [keyField, valueField, ...headers] = entry.fields;
        const key = random(4) === 0 ? mutate(keyField![1], random) : keyField![1];
        const value = random(8) === 0 ? valueField![1] : mutate(valueField![1], random);
        const slow = decodeSlowly({ key, value, headers: new Map(headers), streamName: entry.stream });
        const fast = world.decoder.decode(entryOf(stream, [['key', key], ['value', value], ...headers]));
        const report = `seed ${SEED}, set ${set}, round ${round}\nfast ${JSON.stringify(comparableEvent(fast))}\nslow ${JSON.stringify(slow)}\nkey ${key}\nvalue ${value}`;
        if (slow === NO_VALUE) {
          expect(
            fast.kind === 'control' || fast.kind === 'undecodable' || (fast.kind === 'change' && fast.op === 'd'),
            report,
          ).toBe(true);
          continue;
        }
        compared++;
        if (fast.kind === 'change') changes++;
        const answer = comparableEvent(fast);
        if (JSON.stringify(answer) !== JSON.stringify(slow)) expect(answer, report).toEqual(slow);
        if (fast.kind === 'undecodable') expect(fast.code, `${report}\n${fast.reason}`).not.toBe('INTERNAL');
      }
    }
    // The mutants must not all be broken, nor all harmless.
    expect(changes).toBeGreaterThan(compared / 10);
    expect(changes).toBeLessThan(compared);
  });

  it('never make the decoder throw, whatever bytes an entry holds', () => {
    const random = randomOf(SEED);
    const world = new World();
    const stream = streamNamed('data:shop.sales.orders');
    const originals = recorded('pg-3.6-extended')
      .slice(0, 50)
      .map((entry) => entryOf(stream, entry.fields));
    for (let round = 0; round < 20_000; round++) {
      const original = originals[random(originals.length)]!;
      const bytes = Buffer.from(original.bytes);
      for (let times = 1 + random(6); times > 0; times--) bytes[random(bytes.length)] = random(256);
      const entry: StreamEntry = {
        ...original,
        bytes,
        end: original.start + random(original.end - original.start + 1),
        fieldCount: random(14),
      };
      expect(['change', 'control', 'undecodable']).toContain(
        world.decoder.decode(random(2) === 0 ? entry : { ...entry, end: original.end }).kind,
      );
    }
  });
});

function scan<T>(text: string, read: (scanner: Scanner) => T): T {
  const bytes = Buffer.from(`x${text}"}],1`);
  const scanner = new Scanner();
  scanner.load(bytes, 1, bytes.length - 5);
  scanner.skipBlanks();
  const value = read(scanner);
  scanner.expectEnd();
  return value;
}

function accepts(run: () => unknown): boolean {
  try {
    run();
    return true;
  } catch {
    return false;
  }
}

describe('JSON', () => {
  const jsonLike = fc
    .array(fc.constantFrom(...SNIPPETS, 'a', '5', '"x"'), { maxLength: 12 })
    .map((parts) => parts.join(''));
  const numberLike = fc
    .array(fc.constantFrom('-', '+', '.', 'e', 'E', '0', '1', '9', '00'), { minLength: 1, maxLength: 8 })
    .map((parts) => parts.join(''));
  const jsonText = fc
    .tuple(fc.jsonValue({ maxDepth: 4 }), fc.integer({ min: 0, max: 3 }))
    .map(([value, indent]) => JSON.stringify(value, null, indent));

  it('is accepted exactly when JSON.parse accepts it', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          jsonLike,
          numberLike,
          jsonText,
          fc.string({ unit: 'binary' }).map((text) => `"${text}"`),
        ),
        (text) => {
          const expected = accepts(() => JSON.parse(text));
          expect(accepts(() => scan(text, (scanner) => scanner.skipValue()))).toBe(expected);
          expect(accepts(() => scan(text, (scanner) => scanner.readValue()))).toBe(expected);
        },
      ),
      { numRuns: 5000 },
    );
  });

  it('strings are read as JSON.parse reads them, whatever their length', () => {
    fc.assert(
      fc.property(
        fc.string({
          unit: fc.constantFrom('a', 'b', ' ', '"', '\\', '\n', 'ä', '€', '🙂', '\ud800', '\u0000', '\u007f'),
          maxLength: 40,
        }),
        fc.boolean(),
        (text, escaped) => {
          const json = escaped
            ? JSON.stringify(text).replace(/[^ -~]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`)
            : JSON.stringify(text);
          expect(scan(json, (scanner) => scanner.readValue())).toBe(JSON.parse(json));
        },
      ),
      { numRuns: 3000 },
    );
  });

  it('trees and compact texts hold what the text held', () => {
    fc.assert(
      fc.property(jsonText, (text) => {
        expect(canonical(parseExact(encodeTree(parseTree(text))))).toBe(canonical(parseExact(text)));
        expect(compactJson(text)).toBe(JSON.stringify(JSON.parse(text)));
      }),
    );
  });

  it('of any depth neither overflows the stack nor hangs', () => {
    const deep = '['.repeat(200_000) + ']'.repeat(200_000);
    expect(accepts(() => scan(deep, (scanner) => scanner.skipValue()))).toBe(true);
    expect(accepts(() => scan(deep.slice(1), (scanner) => scanner.skipValue()))).toBe(false);
    const world = new World();
    const source = '{"connector":"mysql","table":"t"}';
    expect(
      world.change('{"id":1}', `{"op":"c","after":{"a":${deep}},"source":${source}}`).after!.values[0],
    ).toHaveProperty('text', deep);
    const schemaChange = `{"source":${source},"tableChanges":${deep},"ddl":"","databaseName":""}`;
    expect(world.decode('{"databaseName":""}', schemaChange)).toMatchObject({ kind: 'undecodable' });
    expect(world.decode('{"id":1}', deep)).toMatchObject({ kind: 'undecodable' });
  });
});
