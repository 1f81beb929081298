import { describe, expect, it } from 'vitest';
import { problemsOf, readTexts, withBlock, withOutputs } from './read-text.ts';

const JM = 'language: jmespath';

/** A job file, and part of what must be said about it. */
const CASES: readonly (readonly [text: string, problem: string])[] = [
  // The file.
  ['source: {table: t}\nouput: []', '2:1: unknown property `ouput`; did you mean `output`?'],
  ['transform: []', '1:1: `source` is missing; it must be a map with at least `table`'],
  ['source: t', '1:9: `source` must be a map with at least `table`, not "t"'],
  ['name: 5\nsource: {table: t}', '1:7: `name` must be text, not 5; put it in quotes'],
  ['source: {table: t}\ntransform: {uses: map}', '2:1: `transform` must be a list of blocks'],
  ['source: {table: t}\noutput: {uses: redis.write}', '2:1: `output` must be a list'],
  ['source: {table: t}\nstrict_keys: 1', '2:14: `strict_keys` must be `true` or `false`, not 1'],
  ['source: {table: t}\nfilter_removes: "yes"', '2:17: `filter_removes` must be `true` or `false`'],
  ['source: {table: t}\nid: x\nsteps: []', '2:5: unknown property `id`: a job is named with `name`'],
  // The source.
  ['source: {schema: s}', '1:1: source: `table` is missing; it must be text'],
  ['source: {table: 7}', '1:17: source: `table` must be text, not 7; put it in quotes'],
  ['source: {table: []}', '1:10: source: `table` must be a name, or a list of names, not a list'],
  ['source: {table: [a, 1]}', '1:21: source: `table` must list names as text'],
  ['source: {table: [a, "*"]}', '1:21: source: the default job has `table: "*"`'],
  ['source: {table: "regex:("}', '1:17: source: `regex:(` is no pattern that rdi can use'],
  ['source: {table: "regex:(?=x)(a+)+"}', 'which can take for ever'],
  ['source: {table: t, row_format: partly}', '1:32: source: `row_format` must be one of `partial`, `full`'],
  ['source: {table: t, row-format: full}', '1:32: source: unknown property `row-format`; did you mean `row_format`?'],
  ['source: {table: t, case_insensitive: no}', '1:38: source: `case_insensitive` must be `true` or `false`, not "no"'],
  ['source: {table: t, database: d}', 'source: unknown property `database`; known are `server_name`, `db`'],
  ['source: {redis: {key_pattern: "a:*", trigger: write-behind}}', '1:10: source: `redis` belongs to write-behind'],
  ['source: {keyspace: {pattern: "a"}}', '1:10: source: `keyspace` belongs to write-behind'],
  // Blocks.
  ['source: {table: t}\ntransform: [x]', '2:13: transform[0]: a block is written {uses: <block>, with: {…}}'],
  ['source: {table: t}\ntransform: [{uses: filtr, with: {}}]', 'not "filtr"; did you mean `filter`?'],
  ['source: {table: t}\ntransform: [{with: {}}]', '2:13: transform[0]: `uses` is missing'],
  ['source: {table: t}\ntransform: [{uses: filter}]', '2:13: transform[0] filter: `with` is missing'],
  ['source: {table: t}\ntransform: [{uses: filter, with: {}, if: x}]', 'transform[0]: unknown property `if`'],
  [withBlock('redis.write', '{}'), '3:11: transform[0]: `redis.write` belongs under `output`'],
  [withBlock('explode', '{}'), '`foreach`'],
  [
    withBlock('filter', `{expression: "age >> 3", ${JM}}`),
    '4:24: transform[0] filter: unexpected > (jmespath, character 6)',
  ],
  [withBlock('filter', `{expression: "shout(fname)", ${JM}}`), 'transform[0] filter: there is no function shout'],
  [withBlock('filter', '{expression: "no_such(x)", language: sql}'), 'There is no function no_such()'],
  [withBlock('filter', '{expression: x, language: python}'), '4:37: transform[0] filter: `language` must be one of'],
  [withBlock('filter', '{expression: x}'), '4:5: transform[0] filter: `language` is missing'],
  [withBlock('filter', '{language: sql}'), 'transform[0] filter: `expression` is missing'],
  [withBlock('filter', '{expression: [a], language: sql}'), 'must be the text of an expression, not a list'],
  [withBlock('filter', '{expression: , language: sql}'), '`expression` has no value'],
  [
    withBlock('filter', '{expression: x, language: sql, cache: {enabld: true}}'),
    '`cache.enabld`; did you mean `enabled`?',
  ],
  [
    withBlock('filter', '{expression: x, language: sql, cache: {max_size: 0}}'),
    '`cache.max_size` must be a whole number of at least 1, not 0',
  ],
  [withBlock('filter', '{expression: x, language: sql, cache: true}'), '`cache` must be a map'],
  [
    withBlock('map', `{expression: fname, ${JM}}`),
    '4:24: transform[0] map: the expression of a map gives the whole new row',
  ],
  [withBlock('map', `{expression: "upper(fname)", ${JM}}`), 'transform[0] map: the expression of a map'],
  [withBlock('map', `{expression: "{a: b", ${JM}}`), 'transform[0] map: the expression ends too early'],
  [withBlock('map', `{expression: {}, ${JM}}`), 'transform[0] map: a map needs at least one field'],
  [withBlock('map', `{expression: {a: {b: "x +"}}, ${JM}}`), '4:32: transform[0] map: '],
  [withBlock('map', `{expression: {a: null}, ${JM}}`), '`a` needs the text of an expression; null stands in quotes'],
  [withBlock('map', '{expression: {a: {b: c}}, language: sql}'), '`a` is an object; a map in SQL has one level only'],
  [withBlock('map', '{expression: id, language: sql}'), 'a map in SQL is an object'],
  [
    withBlock('map', `{expression: '{"a": {"b": "c"}}', language: sql}`),
    '`a` needs the text of an expression; a map in SQL has one level',
  ],
  [withBlock('map', `{expression: '{"a": "x +"}', language: sql}`), '4:24: transform[0] map: '],
  [withBlock('map', `{expression: '{}', language: sql}`), 'a map needs at least one field'],
  [
    withBlock('map', `{expression: 7, ${JM}}`),
    'transform[0] map: `expression` must be the text of an expression, or a map',
  ],
  [withBlock('add_field', `{expression: a, ${JM}}`), 'transform[0] add_field: `field` is missing'],
  [
    withBlock('add_field', `{field: a..b, expression: a, ${JM}}`),
    '`field` is no field path: between two dots a name is missing',
  ],
  [
    withBlock('add_field', `{field: a, fields: [{field: b, expression: c, ${JM}}]}`),
    '`field` and `fields` exclude each other',
  ],
  [withBlock('add_field', '{fields: []}'), '`fields` must be a list of {field, expression, language}'],
  [
    withBlock('add_field', '{fields: [a]}'),
    '4:21: transform[0] add_field: `fields[0]` must be a map {field: …}, not "a"',
  ],
  [
    withBlock('add_field', `{fields: [{field: a, expresion: b, ${JM}}]}`),
    '`fields[0].expresion`; did you mean `expression`?',
  ],
  [withBlock('remove_field', '{fields: [{field: a, x: 1}]}'), 'unknown property `fields[0].x`'],
  [withBlock('remove_field', '{field: .a}'), 'is no field path'],
  [withBlock('rename_field', '{from_field: a}'), 'transform[0] rename_field: `to_field` is missing'],
  [withBlock('rename_field', '{from_field: a.b, to_field: a.b.c}'), 'cannot be moved into or around itself'],
  // Lookups.
  [withBlock('redis.lookup', `{cmd: GET, args: ["'a'"], ${JM}, field: f, colour: red}`), 'unknown property `colour`'],
  [
    withBlock('redis.lookup', `{connection: elsewhere, cmd: GET, args: ["'a'"], ${JM}, field: f}`),
    '4:24: transform[0] redis.lookup: there is no target `elsewhere`',
  ],
  [
    withBlock('redis.lookup', `{cmd: SET, args: ["'a'"], ${JM}, field: f}`),
    '4:17: transform[0] redis.lookup: `SET` changes the target',
  ],
  [withBlock('redis.lookup', `{cmd: blpop, args: ["'a'"], ${JM}, field: f}`), '`BLPOP` waits'],
  [withBlock('redis.lookup', `{cmd: select, args: ["'1'"], ${JM}, field: f}`), '`SELECT` changes the connection'],
  [
    withBlock('redis.lookup', `{cmd: HGT, args: ["'1'"], ${JM}, field: f}`),
    'there is no command `HGT`; did you mean `HGET`?',
  ],
  [withBlock('redis.lookup', `{cmd: HGET a, args: ["'1'"], ${JM}, field: f}`), '`HGET A` is more than a command'],
  [
    withBlock('redis.lookup', `{cmd: CONFIG SET, args: ["'a'"], ${JM}, field: f}`),
    'of the commands of `CONFIG` a lookup may use `CONFIG GET`',
  ],
  [withBlock('redis.lookup', `{cmd: OBJECT, args: [id], ${JM}, field: f}`), 'a lookup may use `OBJECT ENCODING`'],
  [withBlock('redis.lookup', `{cmd: XREAD, args: ["'block'", "'0'"], ${JM}, field: f}`), '`XREAD` with `BLOCK` waits'],
  [withBlock('redis.lookup', `{cmd: GET, args: ["'a'", "(("], ${JM}, field: f}`), '4:36: transform[0] redis.lookup: '],
  [
    withBlock('redis.lookup', `{cmd: GET, args: [[a]], ${JM}, field: f}`),
    '`args[0]` must be the text of an expression',
  ],
  [withBlock('redis.lookup', `{cmd: GET, ${JM}, field: f}`), '`args` is missing'],
  [withBlock('redis.lookup', `{args: ["'a'"], ${JM}, field: f}`), '`cmd` is missing'],
  [withBlock('redis.lookup', '{cmd: GET, args: [id], field: f}'), '`language` is missing'],
  [withBlock('redis.lookup', `{cmd: GET, args: [id], ${JM}}`), '`field` is missing'],
  [
    withBlock('redis.lookup', `{cmd: GET, args: [id], ${JM}, field: f, when: id}`),
    '`when` must be a map {expression: …, language: jmespath or sql}',
  ],
  [
    withBlock('redis.lookup', `{cmd: GET, args: [id], ${JM}, field: f, when: {expression: id, ${JM}, cache: {}}}`),
    '`when.cache`',
  ],
  [
    withBlock('redis.lookup', `{cmd: GET, args: [id], ${JM}, field: f, batch: {size: 0}}`),
    '`batch.size` must be a whole number of at least 1',
  ],
  [withBlock('redis.lookup', `{cmd: GET, args: [id], ${JM}, field: f, batch: {timeout: 5}}`), '`batch.timeout`'],
  [
    withBlock('redis.lookup', `{cmd: GET, args: [id], ${JM}, field: f, lookup_cache: {ttl_seconds: -1}}`),
    '`lookup_cache.ttl_seconds`',
  ],
  // Outputs.
  ['source: {table: t}\noutput: [redis.write]', '2:10: output[0]: an output is written {uses: redis.write, with: {…}}'],
  [
    'source: {table: t}\noutput: [{uses: relational.write, with: {}}]',
    '2:17: output[0]: `relational.write` is write-behind',
  ],
  ['source: {table: t}\noutput: [{uses: cassandra.write}]', '`cassandra.write` is write-behind'],
  ['source: {table: t}\noutput: [{uses: redis.writ}]', 'did you mean `redis.write`?'],
  [
    withOutputs('{connection: elsewhere}'),
    '4:24: output[0] redis.write: there is no target `elsewhere`; `targets` in config.yaml has `target`, `cache`',
  ],
  [withOutputs('{data_type: list}'), 'output[0] redis.write: `data_type` must be one of `hash`, `json`'],
  [withOutputs('{datatype: json}'), 'unknown property `datatype`; did you mean `data_type`?'],
  [withOutputs('{command: HSET}'), 'commands are chosen by `data_type`'],
  [withOutputs('{key_field: id}'), 'write `key: {expression: <field>, language: jmespath}`'],
  [withOutputs('{key: "a:1"}'), '`key` must be a map {expression: …, language: jmespath or sql}, not "a:1"'],
  [withOutputs(`{key: {expression: "concat([", ${JM}}}`), '4:30: output[0] redis.write: '],
  [withOutputs(`{data_type: sorted_set, args: {member: id}}`), 'output[0] redis.write: `args.score` is missing'],
  [withOutputs('{data_type: set}'), 'output[0] redis.write: `args` is missing; `set` needs `member`'],
  [withOutputs('{data_type: string, args: {member: id}}'), 'unknown property `args.member`; known are `value`'],
  [withOutputs('{data_type: set, args: {member: id, score: age}}'), 'unknown property `args.score`'],
  [withOutputs('{data_type: hash, args: {value: id}}'), '`args` belongs to set, sorted_set and string'],
  [withOutputs('{data_type: set, args: {member: 7}}'), '`args.member` must be text, not 7'],
  [withOutputs('{data_type: set, args: {member: {expression: "((", language: sql}}}'), 'output[0] redis.write: '],
  [withOutputs('{data_type: set, args: {member: id}, mapping: [id]}'), '`mapping` has no place in a set'],
  [
    withOutputs('{data_type: sorted_set, args: {member: id, score: a}, mapping: [id]}'),
    '`mapping` has no place in a sorted_set',
  ],
  [withOutputs('{data_type: string, args: {value: id}, mapping: [id]}'), '`mapping` has no place in a string'],
  [withOutputs('{mapping: []}'), '`mapping` must be a list of fields'],
  [withOutputs('{mapping: {a: b}}'), '`mapping` must be a list of fields'],
  [
    withOutputs('{mapping: [a, {b: c, d: e}]}'),
    '4:25: output[0] redis.write: `mapping[1]` must be a field, or `field: alias`',
  ],
  [withOutputs('{mapping: [{b: 7}]}'), '`mapping[0]` must be a field'],
  [withOutputs('{data_type: json, mapping: [{b: c..d}]}'), '`mapping[0]` must be a field'],
  [withOutputs('{on_update: overwrite}'), '`on_update` must be one of `replace`, `merge`'],
  [withOutputs('{on_delete: forget}'), '`on_delete` must be one of `delete`, `keep`, `fields`'],
  [withOutputs('{expire: -1}'), '`expire` must be whole seconds (0 for never)'],
  [withOutputs('{expire: 1.5}'), '`expire` must be whole seconds'],
  [withOutputs('{expire: soon}'), '`expire` must be whole seconds'],
  [withOutputs('{expire: {expression: "(", language: sql}}'), 'output[0] redis.write: '],
  [withOutputs('{foreach: tags}'), '`foreach` must be text such as "tag: tags"'],
  [withOutputs('{foreach: "tag: tags["}'), '4:21: output[0] redis.write: '],
  [withOutputs('{when: id}'), '`when` must be a map'],
  // Nesting.
  [nested('path: lines'), '`nest.path` must start with `$`, the root of the parent: `$.lines`'],
  [nested('path: $'), '`nest.path` must name a field of the parent'],
  [nested('path: "$.lines[*]"'), '`nest.path` cannot be read from `[*]` on'],
  [nested('path: "$.lines[0]"'), '`nest.path` cannot be read from `[0]` on'],
  [nested('path: $..lines'), '`nest.path` cannot be read from `..lines` on'],
  [nested('path: "$.l[a]", structure: array'), '`nest.path` puts elements of an array right into an element'],
  [nested('path: "$.l[a][b]"'), '`nest.path` puts elements of an array right into an element'],
  [nested('path: $.l, structure: list'), '`nest.structure` must be one of `map`, `array`'],
  [nested('path: $.l, missing_parent: drop'), '`nest.missing_parent` must be one of `create`, `skip`'],
  [nested('path: $.l, nesting-key: a'), '`nest.nesting-key` is the old spelling of `nest.nesting_key`'],
  [nested('path: $.l, child_key: [a, b]'), '`nest.child_key` must name as many columns as `nest.parent_key`'],
  [nested('path: $.l, levels: 2'), 'unknown property `nest.levels`'],
  [nested('path: $.l', 'key: {expression: id, language: sql}'), '`key` cannot be combined with `nest`'],
  [nested('path: $.l', 'args: {member: id}'), '`args` cannot be combined with `nest`'],
  [nested('path: $.l', 'foreach: "a: b"'), '`foreach` cannot be combined with `nest`'],
  [nested('path: $.l', 'data_type: hash'), '`data_type` must be `json` with `nest`, or left out'],
  [nested('path: $.l', 'on_update: replace'), '`on_update` must be `merge` with `nest`, or left out'],
  [withOutputs('{nest: orders}'), '`nest` must be a map {parent: …'],
  [
    withOutputs('{nest: {parent: orders, nesting_key: a, parent_key: b, path: $.c}}'),
    '`nest.parent` must be a map {table: <table of the parent>}',
  ],
  [
    withOutputs('{nest: {parent: {tabel: o}, nesting_key: a, parent_key: b, path: $.c}}'),
    '`nest.parent.tabel`; did you mean `table`?',
  ],
  [withOutputs('{nest: {parent: {table: o}, parent_key: b, path: $.c}}'), '`nest.nesting_key` is missing'],
  [withOutputs('{nest: {parent: {table: o}, nesting_key: b, path: $.c}}'), '`nest.parent_key` is missing'],
  [
    withOutputs('{nest: {parent: {table: o}, nesting_key: b, parent_key: []}}'),
    '`nest.parent_key` must be a column, or a list of columns',
  ],
];

describe('a job is refused with the place and the remedy:', () => {
  it.each(CASES.map(([text, problem]) => [problem, text] as const))('%s', (problem, text) => {
    expect(problemsOf(text).join('\n')).toContain(problem);
  });
});

function nested(nest: string, output = 'data_type: json'): string {
  return withOutputs(
    `{${output}, nest: {parent: {table: orders}, nesting_key: line_no, parent_key: order_id, ${nest}}}`,
  );
}

describe('problems', () => {
  it('are all told at once, in the order of the files and of their lines', () => {
    const texts = {
      'a.yaml': `source: {tabel: t}
transform:
  - uses: redis.lookup
    with: {cmd: DEL, args: ["((", "a b"], language: jmespath, field: a..b, when: {expression: "(", language: sql}}
output:
  - uses: redis.write
    with: {data_type: sorted_set, expire: -1, key: {expression: "x(", language: jmespath}, connection: nowhere}
`,
      'b.yaml': 'source: {table: u, row_format: x}\nname: 1\n',
    };
    const { problems, jobs } = readTexts(texts);
    expect(problems.map(({ file, line }) => `${file}:${line}`)).toEqual([
      'a.yaml:1',
      'a.yaml:1',
      ...Array.from({ length: 5 }, () => 'a.yaml:4'),
      ...Array.from({ length: 4 }, () => 'a.yaml:7'),
      'b.yaml:1',
      'b.yaml:2',
    ]);
    expect(jobs).toEqual([]);
  });

  it('never name a target that is missing because there are none at all, unless a job writes its name', () => {
    expect(problemsOf('source: {table: t}', { connections: [] })).toEqual([]);
    expect(problemsOf(withOutputs('{connection: a}'), { connections: [] })[0]).toContain(
      '`targets` in config.yaml has none',
    );
    expect(problemsOf('source: {table: t}', { connections: ['other'] })[0]).toContain(
      'without `connection` it needs `target`',
    );
    expect(problemsOf(withOutputs('{connection: other}'), { connections: ['other'] })).toEqual([]);
  });
});
