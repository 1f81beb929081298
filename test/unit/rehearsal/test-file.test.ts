import { describe, expect, it } from 'vitest';
import { ConfigError } from '../../../src/errors.ts';
import { readTestFile } from '../../../src/rehearsal/test-file.ts';
import { parseTree } from '../../../src/rehearsal/yaml-tree.ts';
import { compactJson } from '../../../src/transform/expressions/values.ts';

const CHANGE = '{table: t, op: c, key: {id: 1}, after: {id: 1}}';

function problemsOf(text: string): string[] {
  try {
    readTestFile('t.yaml', text);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.problems.map(({ line, col, message }) => `${line}:${col} ${message}`);
  }
  return [];
}

describe('a file of job tests', () => {
  it('holds every property', () => {
    const [test] = readTestFile(
      'dir/t.yaml',
      `- name: all
  config:
    {target_data_type: json, json_update_strategy: merge, use_native_json_merge: false, filter_removes: true,
     strict_keys: true, key_template: "x:{key}"}
  keys: {a: {string: 5, ttl: 60}}
  keys_of: {other: {b: {set: [x, 7]}}}
  lookups:
    - {command: [HGET, a, 1], reply: Best}
    - {command: [HGETALL, a], reply: {x: 1, y: null}}
    - {command: [GET, a], error: WRONGTYPE of}
  given:
    - {table: t, op: u, key: {id: 1}, before: {id: 1}, after: null, server_name: s, db: d, schema: c, connector: mysql}
    - {recorded: ../r.gz, tables: [t], limit: 3}
  expect:
    keys: {z: {zset: {m: 1.5, n: -inf}}, s: {stream: [{b: 1, a: 2}]}, h: {hash: {f: 100.0}}, j: {json: [1, {}]}}
    keys_of: {other: {}}
    commands: [[DEL, x], [ZADD, z, 1.50, m]]
    rejected: [one, two]
    filtered: 2
`,
    );
    expect(test).toMatchObject({
      name: 'all',
      place: { line: 1 },
      settings: {
        target_data_type: 'json',
        json_update_strategy: 'merge',
        use_native_json_merge: false,
        filter_removes: true,
        strict_keys: true,
        key_template: 'x:{key}',
      },
      lookups: [
        { command: ['HGET', 'a', '1'], reply: 'Best', error: null },
        { command: ['HGETALL', 'a'], reply: ['x', '1', 'y', null], error: null },
        { command: ['GET', 'a'], error: 'WRONGTYPE of' },
      ],
      given: [
        { table: 't', op: 'u', before: new Map([['id', 1]]), after: null },
        { tables: ['t'], limit: 3 },
      ],
      expect: {
        commands: [
          ['DEL', 'x'],
          ['ZADD', 'z', '1.50', 'm'],
        ],
        rejected: 2,
        reasons: ['one', 'two'],
        filtered: 2,
      },
    });
    expect(test!.keys.get('target')!.get('a')).toEqual({ value: { type: 'string', text: '5' }, ttl: 60 });
    expect(test!.keys.get('other')!.get('b')!.value).toEqual({ type: 'set', members: new Set(['x', '7']) });
    const keys = test!.expect.keys.get('target')!;
    expect(keys.get('h')!.value).toEqual({ type: 'hash', fields: new Map([['f', '100.0']]) });
    expect(keys.get('z')!.value).toEqual({
      type: 'zset',
      scores: new Map([
        ['m', '1.5'],
        ['n', '-inf'],
      ]),
    });
    expect(keys.get('s')!.value).toEqual({
      type: 'stream',
      entries: [
        [
          ['b', '1'],
          ['a', '2'],
        ],
      ],
    });
    expect(test!.expect.keys.get('other')!.size).toBe(0);
  });

  it('wants no rejections when it does not say so', () => {
    const [test] = readTestFile('t.yaml', `- {name: a, given: [${CHANGE}], expect: {filtered: 0}}`);
    expect(test!.expect).toMatchObject({ rejected: 0, commands: null, keys: new Map() });
  });

  it.each([
    ['{}', /^1:1 a file of job tests must be a list/],
    ['- name: x', /^1:3 the test has no `given`/],
    [`- {name: a, given: [${CHANGE}], expct: {}}`, /`expct` is not known in a test; did you mean `expect`\?/],
    [`- {name: a, given: [${CHANGE}], expect: {}}`, /`expect` is empty/],
    [`- {name: a, given: ${CHANGE}, expect: {filtered: 1}}`, /`given` must be a list/],
    [`- {name: a, given: [{table: t, op: x}], expect: {filtered: 1}}`, /`op` must be one of c, u, d, r/],
    [`- {name: a, given: [{op: c}], expect: {filtered: 1}}`, /the change has no `table`/],
    [`- {name: a, given: [{table: t, op: c, after: 5}], expect: {filtered: 1}}`, /`after` must be a map of columns/],
    [`- {name: a, given: [], expect: {keys: {k: {hsh: {}}}}}`, /`hsh` is not known in `k`; did you mean `hash`\?/],
    [`- {name: a, given: [], expect: {keys: {k: {hash: {}, set: []}}}}`, /`k` must hold one of hash/],
    [`- {name: a, given: [], expect: {keys: {k: {zset: {m: big}}}}}`, /score of `m` .*must be a number/],
    [`- {name: a, given: [], expect: {keys: {k: {hash: {f: [1]}}}}}`, /`f` in hash of `k` must be a text/],
    [`- {name: a, given: [], expect: {rejected: many}}`, /`rejected` .*must be a whole number/],
    [`- {name: a, given: [], expect: {filtered: -1}}`, /`filtered` must be a whole number/],
    [`- {name: a, given: [], lookups: [{command: [GET, a]}], expect: {filtered: 1}}`, /either `reply` or `error`/],
    [`- {name: a, given: [], config: {target_data_type: xml}, expect: {filtered: 1}}`, /must be one of hash, json/],
    [`- {name: a, given: [], config: {strict_keys: maybe}, expect: {filtered: 1}}`, /must be true or false/],
    [`- {name: a, given: [], config: {key_template: x}, expect: {filtered: 1}}`, /must hold {key}/],
    [`- {name: a, given: [{table: t, op: c, after: {n: .inf}}], expect: {filtered: 1}}`, /a number as JSON has them/],
    [`- {name: a, given: [*none], expect: {filtered: 1}}`, /Unresolved alias|no anchor/],
    ['- &a [*a]', /an alias stands inside what it stands for/],
    ['- [', /^\d+:\d+ not valid YAML/],
    [
      `- {name: a, given: [], expect: {filtered: 0}}\n- {name: a, given: [], expect: {filtered: 0}}`,
      /^2:3 .*another test named "a"/,
    ],
  ])('is refused with the place: %s', (text, message) => {
    expect(problemsOf(text).join('\n')).toMatch(message);
  });

  it('tells all problems at once, in their order', () => {
    const text = `- {name: a, given: [{op: x}], expect: {filtered: 1}}\n- {nam: b}\n`;
    const places = problemsOf(text).map((problem) => problem.split(' ')[0]);
    expect(places.length).toBeGreaterThan(4);
    expect(places).toEqual(places.toSorted());
  });
});

describe('parseTree', () => {
  it('keeps the digits of numbers, and the order of names that look like numbers', () => {
    const text = '{b: 100.0, 2: 9007199254740993, 1: 1.50e3, c: +12, d: 0x10}';
    expect(compactJson(parseTree('t', text).value)).toBe('{"b":100.0,"2":9007199254740993,"1":1.50e3,"c":12,"d":16}');
  });

  it('merges maps in at their place', () => {
    const text = 'a: &a {x: 1, y: 2}\nb: {<<: *a, y: 3, z: 4}\nc: {<<: [*a, {w: 0, x: 9}]}\nd: {"<<": 1}';
    expect(compactJson(parseTree('t', text).value)).toBe(
      '{"a":{"x":1,"y":2},"b":{"x":1,"y":3,"z":4},"c":{"x":1,"y":2,"w":0},"d":{"<<":1}}',
    );
  });

  it('gives up on aliases that multiply, and on nesting without end', () => {
    const bomb = Array.from({ length: 30 }, (_, i) => `a${i}: &a${i} [${i === 0 ? '1' : `*a${i - 1}, *a${i - 1}`}]`);
    expect(() => parseTree('t', bomb.join('\n'))).toThrow(/multiply/);
    expect(() => parseTree('t', '['.repeat(20_000))).toThrow(ConfigError);
  });
});
