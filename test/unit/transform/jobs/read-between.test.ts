import { describe, expect, it } from 'vitest';
import { formatProblem } from '../../../../src/errors.ts';
import type { TableIdentity } from '../../../../src/types.ts';
import { jobOf, noticesOf, problemsOf, readTexts, withBlock, withOutputs } from './read-text.ts';

const TABLE: TableIdentity = {
  connector: 'postgresql',
  serverName: 'rdi',
  db: 'shop',
  schema: 'public',
  table: 'customer',
};
const IN_MYSQL: TableIdentity = { ...TABLE, connector: 'mysql', schema: '' };

describe('a job selects', () => {
  it.each([
    ['{table: customer}', {}, true],
    ['{table: CUSTOMER, schema: Public}', {}, true],
    ['{table: CUSTOMER, case_insensitive: false}', {}, false],
    ['{table: "regex:cust.*"}', {}, true],
    ['{table: "regex:cust"}', {}, false],
    ['{table: "regex:ust.*"}', {}, false],
    ['{table: "regex:a|customer"}', {}, true],
    ['{table: "regex:CUST.*"}', {}, true],
    ['{table: "regex:CUST.*", case_insensitive: false}', {}, false],
    ['{table: "regex:(?!tmp_).*"}', {}, true],
    ['{table: "regex:(?!cust).*"}', {}, false],
    ['{table: cust.*}', {}, false],
    ['{table: [a, customer]}', {}, true],
    ['{table: [a, "regex:c.*r"]}', {}, true],
    ['{table: [a, b]}', {}, false],
    ['{table: customer, server_name: [rdi, other]}', {}, true],
    ['{table: customer, server_name: other}', {}, false],
    ['{table: customer, db: shop}', {}, true],
    ['{table: customer, db: public}', {}, false],
    ['{table: customer, schema: shop}', {}, false],
    ['{table: customer, schema: shop}', IN_MYSQL, true],
    ['{table: customer, db: shop}', IN_MYSQL, true],
    ['{table: customer, schema: other}', IN_MYSQL, false],
    ['{table: "*"}', {}, true],
    ['{table: ["*"]}', {}, true],
    ['{table: "*", schema: other}', {}, false],
  ])('with %s', (source, identity, isSelected) => {
    expect(jobOf(`source: ${source}`).matches({ ...TABLE, ...identity })).toBe(isSelected);
  });

  it('as the default job when its table is a star', () => {
    expect(jobOf('source: {table: "*"}').isDefault).toBe(true);
    expect(jobOf('source: {table: "regex:.*"}').isDefault).toBe(false);
  });

  it('in a moment, whatever its pattern and the name are', () => {
    const { matches } = jobOf('source: {table: "regex:(a+)+b"}');
    expect(matches({ ...TABLE, table: 'a'.repeat(5000) })).toBe(false);
  });
});

const both = (a: string, b: string) => readTexts({ 'a.yaml': `source: ${a}`, 'b.yaml': `source: ${b}` });

describe('two jobs', () => {
  it.each([
    ['{table: t}', '{table: T}'],
    ['{table: t, case_insensitive: false}', '{table: T}'],
    ['{table: [a, t]}', '{table: [t, c]}'],
    ['{table: "regex:t.*"}', '{table: [u, tx]}'],
    ['{table: "regex:T.*", case_insensitive: false}', '{table: tx}'],
    ['{table: "regex:t.*"}', '{table: "regex:t.*"}'],
    ['{table: t, schema: a}', '{table: t}'],
    ['{table: t, schema: a}', '{table: t, db: a}'],
  ])('for the same table are refused: %s and %s', (a, b) => {
    const { problems, jobs } = both(a, b);
    expect(problems.map(formatProblem)[0]).toMatch(
      /^b\.yaml:1:\d+: selects tables of `a` \(a\.yaml:1:\d+\), too: `.*` overlaps with them; /,
    );
    expect(problems).toHaveLength(1);
    expect(jobs.map(({ name }) => name)).toEqual(['a']);
  });

  it.each([
    ['{table: t, case_insensitive: false}', '{table: T, case_insensitive: false}'],
    ['{table: t, schema: a}', '{table: t, schema: b}'],
    ['{table: t, server_name: [a, c]}', '{table: t, server_name: [b]}'],
    ['{table: "regex:t.*"}', '{table: u}'],
    ['{table: "regex:t.*", case_insensitive: false}', '{table: T, case_insensitive: false}'],
    ['{table: "*"}', '{table: t}'],
  ])('for different tables go together: %s and %s', (a, b) => {
    expect(both(a, b).problems).toEqual([]);
  });

  it('with two patterns are accepted with a warning, as nobody knows the tables yet', () => {
    const { problems, notices } = both('{table: "regex:a.*"}', '{table: "regex:.*b"}');
    expect(problems).toEqual([]);
    expect(notices.map(formatProblem)).toEqual([
      'b.yaml:1:17: may select the tables of `a` (a.yaml:1:17), too; if it does, only one of the jobs is used',
    ]);
  });

  it('with two patterns are refused when a table that is known matches both', () => {
    const texts = { 'a.yaml': 'source: {table: "regex:a.*"}', 'b.yaml': 'source: {table: "regex:.*b"}' };
    expect(readTexts(texts, { tables: ['x', 'AXB'] }).problems).toHaveLength(1);
    expect(readTexts(texts, { tables: ['ax', 'xb'] })).toMatchObject({ problems: [], notices: [{ level: 'warn' }] });
    const apart = { 'a.yaml': 'source: {table: "regex:a.*", db: c}', 'b.yaml': 'source: {table: "regex:.*b", db: d}' };
    expect(readTexts(apart, { tables: ['ab'] })).toMatchObject({ problems: [], notices: [] });
  });

  it('cannot both be the default', () => {
    expect(both('{table: "*"}', '{table: "*", schema: s}').problems.map(formatProblem)).toEqual([
      'b.yaml:1:17: a second default job: a.yaml:1:17 has `table: "*"`, too, and there can be only one',
    ]);
  });

  it('cannot have the same name', () => {
    const { problems } = readTexts({ 'x.yaml': 'source: {table: a}', 'x.yml': 'source: {table: b}' });
    expect(problems.map(formatProblem)).toEqual([
      'x.yml:1:1: the name `x` is that of x.yaml:1:1, too; jobs need different ones',
    ]);
  });
});

describe('with several sources', () => {
  const sources = ['shop', 'crm'];

  it('a job needs a `server_name` that is one of them', () => {
    expect(problemsOf('source: {table: t}', { sources })).toEqual([
      '1:1: source: with several sources `server_name` is needed; it is one of `shop`, `crm`',
    ]);
    expect(problemsOf('source: {table: t, server_name: [shop, cmr]}', { sources })).toEqual([
      '1:20: source: `server_name` `cmr` is no source of config.yaml; there are `shop`, `crm`',
    ]);
    for (const name of ['shop', 'SHOP', '[shop, crm]', '"regex:sh.*"', 'rdi']) {
      expect(problemsOf(`source: {table: t, server_name: ${name}}`, { sources })).toEqual([]);
    }
  });

  it('the default job needs none, and with one source no job does', () => {
    expect(problemsOf('source: {table: "*"}', { sources })).toEqual([]);
    expect(problemsOf('source: {table: t, server_name: other}', { sources: ['shop'] })).toEqual([]);
  });
});

describe('a notice is given', () => {
  const jm = (expression: string) => `{expression: "${expression}", language: jmespath}`;
  const add = (expression: string) =>
    `{uses: add_field, with: {field: f, expression: "${expression}", language: jmespath}}`;
  const blocks = (...items: string[]) =>
    `source: {table: t}\ntransform:\n${items.map((item) => `  - ${item}\n`).join('')}`;

  it.each([
    [
      blocks('{uses: map, with: {expression: "{id: id}", language: jmespath}}', add('name')),
      'warn 4:52: transform[1] add_field: it reads `name`, which is always null here: `transform[0] map` leaves only the fields that it names',
    ],
    [
      blocks(
        '{uses: map, with: {expression: {id: id}, language: sql}}',
        '{uses: filter, with: {expression: "ID > 1 AND NAME = 1", language: sql}}',
      ),
      'it reads `NAME`',
    ],
    [
      blocks('{uses: remove_field, with: {field: a}}', add('a')),
      'it reads `a`, which is always null here: `transform[0] remove_field` takes it away',
    ],
    [
      blocks('{uses: rename_field, with: {from_field: a, to_field: b}}', add('a')),
      '`transform[0] rename_field` takes it away',
    ],
    [blocks(add('after.id')), 'it reads `after`, which is always null here: a record is the row itself, unless'],
    [
      'source: {table: t, row_format: full}\ntransform:\n  - '.concat(add('id')),
      'it reads `id`, which is always null here: `row_format` is full',
    ],
    [blocks(add('a == null')), 'it reads a field with the name `null`; the value null is written in back quotes'],
    [
      blocks('{uses: filter, with: {expression: "`0`", language: jmespath}}', add('a')),
      'warn 4:5: transform[1]: no record gets here: transform[0] filter keeps none',
    ],
    [
      blocks('{uses: filter, with: {expression: "1 = 2", language: sql}}'),
      'nothing is ever written: transform[0] filter keeps no record',
    ],
    [
      blocks('{uses: filter, with: {expression: "uuid()", language: jmespath, cache: {enabled: true}}}'),
      'the results of "uuid()" are not cached',
    ],
    [
      blocks(`{uses: redis.lookup, with: {cmd: MINE.GET, args: [id], language: sql, field: f}}`),
      '`MINE.GET` is no command that rdi knows',
    ],
    [
      blocks(`{uses: redis.lookup, with: {cmd: GET, args: ["concat(['t:id:', id])"], language: jmespath, field: f}}`),
      'it reads keys that this pipeline writes (job `a`)',
    ],
    [
      withBlock('remove_field', '{field: a}').concat('output:\n  - {uses: redis.write, with: {mapping: [b, a]}}\n'),
      'it names `a`, which is always null here',
    ],
    [withOutputs(`{key: ${jm("concat(['a', uuid()])")}}`), 'is another one each time'],
    [withOutputs(`{key: ${jm("'one'")}}`), 'every row is written to the same key "\'one\'"'],
    [withOutputs('{data_type: hash, foreach: "x: xs"}'), 'every element is written to the same key'],
    [
      withOutputs('{}', '{data_type: json}'),
      'warn 5:5: output[1] redis.write: it writes the same keys as output[0] redis.write',
    ],
    [
      withOutputs(`{data_type: stream, key: ${jm("'s'")}}`),
      'info 3:5: output[0] redis.write: a restart may write the last entries again',
    ],
    [withOutputs('{data_type: set, args: {member: id}, on_update: merge}'), '`on_update` has no effect on `set`'],
    [withOutputs('{mapping: [a, {b: a}]}'), 'two entries of `mapping` write `a`'],
    [
      withOutputs(
        '{data_type: json, on_update: merge, nest: {parent: {table: o}, nesting_key: n, parent_key: k, path: $.x}}',
      ),
      'the rows of `o` are written as hashes',
    ],
    [
      `source: {table: t, row_format: full}\noutput: [{uses: redis.write, with: {key: ${jm("concat(['o:', after.id])")}}}]`,
      'the key reads only `after`, which a delete has not',
    ],
  ])('for %s', (text, notice) => {
    expect(noticesOf(text).join('\n')).toContain(notice);
  });

  it('of a parent that children cannot be nested into, and not of one that they can', () => {
    const child = withOutputs(
      '{data_type: json, on_update: merge, nest: {parent: {table: O}, nesting_key: n, parent_key: k, path: $.x}}',
    );
    const withParent = (output: string) =>
      readTexts({
        'a.yaml': `source: {table: o}\noutput: [{uses: redis.write, with: ${output}}]`,
        'b.yaml': child,
      }).notices.map((notice) => notice.message);
    expect(withParent('{data_type: json}')).toEqual([]);
    expect(withParent(`{data_type: json, key: ${jm('id')}}`)[0]).toContain('have a custom key (a.yaml:2:1)');
    expect(withParent('{data_type: hash}')[0]).toContain('are written as hash');
    expect(noticesOf(child, { dataType: 'json' })).toEqual([]);
  });

  it('of tables of one name whose default keys fall together', () => {
    const texts = { 'a.yaml': 'source: {table: t, schema: a}', 'b.yaml': 'source: {table: t, schema: b}' };
    expect(readTexts(texts).notices.map(formatProblem)).toEqual([
      'b.yaml:1:17: its default keys are those of the other table `t` (a.yaml:1:17), too; set `processors.key_template`, for example to `{schema}.{table}:{key}`',
    ]);
    expect(readTexts(texts, { keyTemplate: '{schema}:{table}:{key}' }).notices).toEqual([]);
  });

  it.each([
    ['of fields that a table may have', blocks(add('a.b'), '{uses: remove_field, with: {field: a.b}}', add('a'))],
    ['of fields that were added again', blocks('{uses: remove_field, with: {field: f}}', add('a'), add('f'))],
    [
      'of columns in SQL that differ in letter case or are paths',
      blocks(
        '{uses: map, with: {expression: "{Id: id, o: o}", language: jmespath}}',
        '{uses: filter, with: {expression: "id > 1 AND o.x = 2", language: sql}}',
      ),
    ],
    [
      'of a full record that is one after a map',
      `source: {table: t, row_format: full}\ntransform:\n  - {uses: map, with: {expression: "{after: after}", language: jmespath}}\n  - ${add('after.id && opcode')}\n`,
    ],
    [
      'of a key that a delete finds',
      `source: {table: t, row_format: full}\noutput: [{uses: redis.write, with: {key: ${jm("concat(['o:', after.id || before.id])")}}}]`,
    ],
    [
      'of a key from `after` where deletes are kept out',
      `source: {table: t, row_format: full}\ntransform: [{uses: filter, with: ${jm("opcode != 'd'")}}]\noutput: [{uses: redis.write, with: {key: ${jm("concat(['o:', after.id])")}}}]`,
    ],
    [
      'of merges of different fields into one document',
      withOutputs(
        '{data_type: json, on_update: merge, mapping: [a]}',
        '{data_type: json, on_update: merge, mapping: [b]}',
      ),
    ],
    [
      'of an element that a key names',
      withOutputs(`{data_type: hash, foreach: "x: xs", key: ${jm("concat(['k:', x])")}}`),
    ],
    [
      'of a lookup elsewhere',
      blocks(`{uses: redis.lookup, with: {cmd: GET, args: ["concat(['tier:', id])"], language: jmespath, field: f}}`),
    ],
  ])('not %s', (_, text) => {
    expect(noticesOf(text)).toEqual([]);
  });
});
