import { describe, expect, it } from 'vitest';
import { ExpressionError, type JobValue } from '../../../../src/transform/expressions/types.ts';
import type { CompiledExpression, MapFields } from '../../../../src/transform/jobs/definition.ts';
import { jobOf, readTexts, withBlock, withOutputs } from './read-text.ts';

const row = (members: Record<string, JobValue>) => new Map(Object.entries(members));

/** The texts of a map's fields. */
function textsOf(mapping: MapFields | CompiledExpression): unknown {
  if (!('fields' in mapping)) return mapping.text;
  return Object.fromEntries(mapping.fields.map(({ name, value }) => [name, textsOf(value)]));
}

function mapOf(expression: string, language = 'jmespath'): unknown {
  const [block] = jobOf(withBlock('map', `{expression: ${expression}, language: ${language}}`)).blocks;
  if (block?.uses !== 'map') throw new Error('there is no map');
  return textsOf(block.mapping);
}

const outputOf = (properties: string, context = {}) => jobOf(withOutputs(properties), context).outputs[0]!;

describe('a job', () => {
  it('without anything but a table is written like the default', () => {
    const job = jobOf('source: {table: t}\ntransform:\noutput:\n');
    expect(job).toMatchObject({ name: 'a', file: 'a.yaml', isDefault: false, rowFormat: 'partial', blocks: [] });
    expect(job.outputs).toEqual([
      {
        step: 'output[0] redis.write',
        connection: 'target',
        dataType: 'hash',
        key: null,
        mapping: null,
        member: null,
        score: null,
        value: null,
        onUpdate: 'merge',
        expire: null,
        nest: null,
        foreach: null,
        when: null,
        onDelete: 'delete',
      },
    ]);
    expect(jobOf('source: {table: t}\noutput: []', { dataType: 'json' }).outputs[0]?.dataType).toBe('json');
    expect(jobOf('source: {table: t}\noutput: [{uses: redis.write}]').outputs).toHaveLength(1);
  });

  it('is called as it says, else like its file', () => {
    const { jobs } = readTexts({
      'x/rdi.shop.orders.yaml': 'source: {table: t}',
      'x/b.yml': 'source: {table: u}',
      'x/c.yaml': 'name: of mine\nsource: {table: v}',
    });
    expect(jobs.map(({ name }) => name)).toEqual(['rdi.shop.orders', 'b', 'of mine']);
  });

  it('decides itself on strict keys and on rows that leave a filter, and else does as the pipeline', () => {
    const pipeline = { strictKeys: true, filterRemoves: true };
    expect(jobOf('source: {table: t}', pipeline)).toMatchObject(pipeline);
    const job = jobOf('source: {table: t}\nstrict_keys: false\nfilter_removes: false', pipeline);
    expect(job).toMatchObject({ strictKeys: false, filterRemoves: false });
  });

  it('with strict keys refuses null in the text of a key, and only there', () => {
    const text = (key: string) =>
      `strict_keys: true\n${withOutputs(`{key: {expression: "${key}", language: jmespath}}`)}`;
    const key = (expression: string) => jobOf(text(expression)).outputs[0]!.key!;
    const record = row({ id: 7, email: null, after: null, before: row({ id: 8 }) });
    expect(() => key("concat(['e:', email])").evaluate(record)).toThrow(/null/);
    expect(() => key("concat(['e:', email])").evaluate(record)).toThrow(ExpressionError);
    expect(() => key("join(':', ['e', to_string(email)])").evaluate(record)).toThrow(/null/);
    expect(key("concat(['e:', after.id || before.id])").evaluate(record)).toBe('e:8');
    expect(key("concat(['e:', not_null(email, 'none')])").evaluate(record)).toBe('e:none');
    const loose = jobOf(text("concat(['e:', email])").replace('true', 'false')).outputs[0]!.key!;
    expect(loose.evaluate(record)).toBe('e:None');
    const block = `${withBlock('add_field', '{field: a, expression: "concat([email])", language: jmespath}')}strict_keys: true\n`;
    const [add] = jobOf(block).blocks;
    expect(add?.uses === 'add_field' && add.fields[0]?.expression.evaluate(record)).toBe('None');
  });
});

describe('an expression', () => {
  it('may be a number or boolean of YAML, which is its text', () => {
    const add = (expression: string) => {
      const [block] = jobOf(withBlock('add_field', `{field: a, expression: ${expression}, language: sql}`)).blocks;
      return block?.uses === 'add_field' ? block.fields[0]?.expression : undefined;
    };
    expect(add('12')).toMatchObject({ text: '12', reads: [], language: 'sql', cache: null });
    expect(add('true')?.evaluate(row({}))).toBe(1);
  });

  it('is cached as asked, but never when it gives something else each time', () => {
    const cacheOf = (expression: string, cache: string) => {
      const [block] = jobOf(
        withBlock('filter', `{expression: "${expression}", language: jmespath, cache: ${cache}}`),
      ).blocks;
      return block?.uses === 'filter' ? block.expression.cache : undefined;
    };
    expect(cacheOf('a', '{enabled: true}')).toEqual({ maxSize: 1000, ttlMs: 60_000 });
    expect(cacheOf('a', '{enabled: true, max_size: 5, ttl_seconds: 2}')).toEqual({ maxSize: 5, ttlMs: 2000 });
    expect(cacheOf('a', '{max_size: 5}')).toBeNull();
    expect(cacheOf('a', '{enabled: false}')).toBeNull();
    expect(cacheOf('uuid()', '{enabled: true}')).toBeNull();
  });
});

describe('a map', () => {
  it('is taken apart into its fields wherever they are written out', () => {
    const whole = '"{id: id, name: {first: fname, \\"last name\\": (a || b).c}, (x): x}"'.replace(', (x): x', '');
    expect(mapOf(whole)).toEqual({ id: 'id', name: { first: 'fname', 'last name': '(a || b).c' } });
    expect(mapOf('" {a: a | b, c: d[?x > `1`].y} "')).toEqual({ a: 'a | b', c: 'd[?x > `1`].y' });
    expect(mapOf('{id: id, "my-x": {b: a, c: "[a, b]"}}')).toEqual({ id: 'id', 'my-x': { b: 'a', c: '[a, b]' } });
    expect(mapOf('{id: id, twice: id * 2, one: 1}', 'sql')).toEqual({ id: 'id', twice: 'id * 2', one: '1' });
    expect(mapOf(`'{"b": "id", "1": "x", "n": 7, "t": true}'`, 'sql')).toEqual({
      b: 'id',
      '1': 'x',
      n: '7',
      t: 'true',
    });
  });

  it('in SQL as text keeps the order of its fields, also of those with numbers for names', () => {
    const [block] = jobOf(withBlock('map', `{expression: '{"b": "id", "1": "x"}', language: sql}`)).blocks;
    const names =
      block?.uses === 'map' && 'fields' in block.mapping ? block.mapping.fields.map(({ name }) => name) : [];
    expect(names).toEqual(['b', '1']);
  });

  it('evaluates its parts as the whole would', () => {
    const [block] = jobOf(withBlock('map', '{expression: "{n: {s: (a || b).c}}", language: jmespath}')).blocks;
    const mapping = block?.uses === 'map' && 'fields' in block.mapping ? block.mapping.fields[0]?.value : undefined;
    const field = mapping !== undefined && 'fields' in mapping ? mapping.fields[0]?.value : undefined;
    expect(field !== undefined && 'evaluate' in field && field.evaluate(row({ a: null, b: row({ c: 5 }) }))).toBe(5);
  });

  it.each([
    '"merge(@, {a: b})"',
    '"@"',
    '"{a: b} | {c: a}"',
    '"doc || {a: b}"',
    '"json_parse(doc)"',
    '"from_entries(x)"',
  ])('may be any expression that can give an object: %s', (expression) => {
    expect(`"${mapOf(expression)}"`).toBe(expression);
  });
});

describe('blocks', () => {
  it('have paths in which only `\\.` is no step', () => {
    const job = jobOf(`source: {table: t}
transform:
  - {uses: remove_field, with: {fields: [{field: a.b}, {field: 'a\\.b'}, {field: 'a\\b.c d-e'}]}}
  - {uses: remove_field, with: {field: x}}
  - {uses: rename_field, with: {from_field: a.b, to_field: 'c.d\\.e'}}
  - {uses: rename_field, with: {fields: [{from_field: a, to_field: b}]}}
`);
    expect(job.blocks).toEqual([
      { uses: 'remove_field', step: 'transform[0] remove_field', paths: [['a', 'b'], ['a.b'], ['a\\b', 'c d-e']] },
      { uses: 'remove_field', step: 'transform[1] remove_field', paths: [['x']] },
      { uses: 'rename_field', step: 'transform[2] rename_field', renames: [{ from: ['a', 'b'], to: ['c', 'd.e'] }] },
      { uses: 'rename_field', step: 'transform[3] rename_field', renames: [{ from: ['a'], to: ['b'] }] },
    ]);
  });

  it('that look something up have defaults', () => {
    const [least, most] = jobOf(`source: {table: t}
transform:
  - {uses: redis.lookup, with: {cmd: hget, args: ["'a'", id], language: jmespath, field: f}}
  - uses: redis.lookup
    with:
      connection: cache
      cmd: config get
      args: []
      language: sql
      field: a.b
      when: {expression: id > 1, language: sql}
      cache: {enabled: true}
      lookup_cache: {enabled: true, ttl_seconds: 5}
      batch: {size: 7, timeout_ms: 3}
`).blocks;
    expect(least).toMatchObject({
      connection: 'target',
      command: ['HGET'],
      args: [{ text: "'a'" }, { text: 'id' }],
      field: ['f'],
      when: null,
      lookupCache: null,
      batch: { size: 200, timeoutMs: 100 },
    });
    expect(most).toMatchObject({
      connection: 'cache',
      command: ['CONFIG', 'GET'],
      args: [],
      field: ['a', 'b'],
      when: { text: 'id > 1' },
      lookupCache: { maxSize: 1000, ttlMs: 5000 },
      batch: { size: 7, timeoutMs: 3 },
    });
  });

  it.each(['GET', 'JSON.GET', 'ZRANGE', 'OBJECT ENCODING', 'MEMORY USAGE', 'FT.SEARCH', 'XREAD', 'EVAL_RO'])(
    'may look up with %s',
    (command) => {
      const text = withBlock('redis.lookup', `{cmd: ${command}, args: ["'k'"], language: sql, field: f}`);
      expect(readTexts({ 'a.yaml': text })).toMatchObject({ problems: [], notices: [] });
    },
  );

  it('may look up with the first argument as the second word of a command', () => {
    const text = withBlock('redis.lookup', `{cmd: OBJECT, args: ["'freq'", id], language: sql, field: f}`);
    expect(readTexts({ 'a.yaml': text }).problems).toEqual([]);
  });
});

describe('an output', () => {
  it('takes what the job says over what the pipeline says, and hashes keep what others added', () => {
    const json = { dataType: 'json', jsonUpdate: 'merge' } as const;
    expect(outputOf('{}', json)).toMatchObject({ dataType: 'json', onUpdate: 'merge' });
    expect(outputOf('{on_update: replace}', json)).toMatchObject({ dataType: 'json', onUpdate: 'replace' });
    expect(outputOf('{data_type: json}')).toMatchObject({ onUpdate: 'replace' });
    expect(outputOf('{data_type: hash}')).toMatchObject({ onUpdate: 'merge' });
    expect(outputOf('{data_type: hash, on_update: replace}')).toMatchObject({ onUpdate: 'replace' });
    expect(outputOf('{connection: cache}')).toMatchObject({ connection: 'cache' });
  });

  it('maps fields to names in hashes and streams, and to paths in documents', () => {
    const mapping = "[id, {fname: 'n.first'}, {a.b: 'x\\.y'}, 'c\\.d']";
    const flat = [
      { source: ['id'], alias: ['id'] },
      { source: ['fname'], alias: ['n.first'] },
      { source: ['a', 'b'], alias: ['x.y'] },
      { source: ['c.d'], alias: ['c.d'] },
    ];
    expect(outputOf(`{data_type: hash, mapping: ${mapping}}`).mapping).toEqual(flat);
    expect(outputOf(`{data_type: stream, mapping: ${mapping}}`).mapping).toEqual(flat);
    expect(outputOf(`{data_type: json, mapping: ${mapping}}`).mapping?.map(({ alias }) => alias)).toEqual([
      ['id'],
      ['n', 'first'],
      ['x.y'],
      ['c.d'],
    ]);
  });

  it('has arguments that are columns, or expressions of ours', () => {
    const args = '{member: a.b, score: {expression: "age * 2", language: sql}}';
    expect(outputOf(`{data_type: sorted_set, args: ${args}}`)).toMatchObject({
      member: { column: ['a', 'b'] },
      score: { expression: { text: 'age * 2' } },
      value: null,
    });
    expect(outputOf('{data_type: string, args: {value: lname}}').value).toEqual({ column: ['lname'] });
  });

  it.each([
    ['0', null],
    ['100', 100],
    ['"60"', 60],
  ])('expires after %s seconds', (written, seconds) => {
    expect(outputOf(`{expire: ${written}}`).expire).toBe(seconds);
  });

  it('has what goes beyond RDI', () => {
    const output = outputOf(
      '{data_type: set, foreach: "tag: tags[*]", args: {member: tag}, when: {expression: id > 1, language: sql}, on_delete: keep, expire: {expression: age, language: sql}}',
    );
    expect(output).toMatchObject({
      foreach: { name: 'tag', expression: { text: 'tags[*]' } },
      when: { text: 'id > 1' },
      onDelete: 'keep',
      expire: { text: 'age' },
    });
    expect(
      outputOf('{data_type: set, foreach: {tag: "a:b"}, args: {member: tag}}'.replace('a:b', 'tags')).foreach,
    ).toMatchObject({
      name: 'tag',
    });
  });

  it.each([
    [
      'path: $.lines',
      [
        { kind: 'name', name: 'lines' },
        { kind: 'entry', column: 'part' },
      ],
    ],
    [
      'path: $.home.places',
      [
        { kind: 'name', name: 'home' },
        { kind: 'name', name: 'places' },
        { kind: 'entry', column: 'part' },
      ],
    ],
    [
      `path: "$.a\\\\.b['c d']", structure: array`,
      [
        { kind: 'name', name: 'a.b' },
        { kind: 'name', name: 'c d' },
        { kind: 'element', column: 'part' },
      ],
    ],
    [
      'path: "$.lines.{line_no}.parts"',
      [
        { kind: 'name', name: 'lines' },
        { kind: 'entry', column: 'line_no' },
        { kind: 'name', name: 'parts' },
        { kind: 'entry', column: 'part' },
      ],
    ],
    [
      'path: "$.lines[line_no].parts", structure: map',
      [
        { kind: 'name', name: 'lines' },
        { kind: 'element', column: 'line_no' },
        { kind: 'name', name: 'parts' },
        { kind: 'entry', column: 'part' },
      ],
    ],
  ])('is nested by %s', (nest, path) => {
    const output = outputOf(`{nest: {parent: {table: orders}, nesting_key: part, parent_key: order_id, ${nest}}}`);
    expect(output).toMatchObject({ dataType: 'json', onUpdate: 'merge', key: null });
    expect(output.nest).toEqual({
      parent: { table: 'orders', serverName: null, schema: null },
      parentKey: [{ parent: 'order_id', child: 'order_id' }],
      path,
      missingParent: 'create',
    });
  });

  it('is nested under keys of other names, and of several columns', () => {
    const parent = 'parent: {table: o, server_name: s, schema: p}';
    const output = outputOf(
      `{nest: {${parent}, nesting-key: n, parent-key: [a, b], child-key: [c, d], path: $.x, missing_parent: skip}}`,
    );
    expect(output.nest).toEqual({
      parent: { table: 'o', serverName: 's', schema: 'p' },
      parentKey: [
        { parent: 'a', child: 'c' },
        { parent: 'b', child: 'd' },
      ],
      path: [
        { kind: 'name', name: 'x' },
        { kind: 'entry', column: 'n' },
      ],
      missingParent: 'skip',
    });
  });
});

describe('the format of 2023', () => {
  it('is translated, with one notice for each file', () => {
    const { jobs, notices } = readTexts(
      {
        'a.yaml': `source: {table: t, row_format: data_only}
key: {expression: "concat([tier, '.', id])", language: jmespath}
output:
  - uses: redis.write
    with: {data_type: hash}
  - uses: redis.write
    with: {data_type: hash, key: {expression: id, language: sql}}
  - uses: redis.write
    with: {nest: {parent: {table: o}, nesting-key: n, parent-key: k, path: $.x}}
`,
        'b.yaml': 'source: {table: u}\nkey: {expression: id, language: sql}\n',
      },
      { dataType: 'json' },
    );
    expect(jobs.map(({ outputs }) => outputs.map(({ key }) => key?.text))).toEqual([
      ["concat([tier, '.', id])", 'id', undefined],
      ['id'],
    ]);
    expect(jobs[0]?.rowFormat).toBe('partial');
    expect(notices.map(({ file, line, level, message }) => `${level} ${file}:${line} ${message}`)).toEqual([
      'warn a.yaml:1 written as in 2023, which still works: `row_format: data_only` is now `partial`; `nesting-key` is now `nesting_key`; `parent-key` is now `parent_key`; beside `nest` stand `data_type: json` and `on_update: merge`; `key` now stands in the `with` of each output',
      'warn b.yaml:2 written as in 2023, which still works: `key` now stands in the `with` of each output',
    ]);
  });
});
