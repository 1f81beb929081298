import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadPipeline } from '../../../src/config/index.ts';
import { formatProblem } from '../../../src/errors.ts';
import { checkJobs } from '../../../src/transform/index.ts';
import { tempFolder } from '../../helpers/temp-folder.ts';

const CONFIG = 'targets: {target: {connection: {type: redis, host: 127.0.0.1, port: 6379}}}\n';

/** Problems of one job file, with the file's folder left out. */
function problemsOf(job: string): string[] {
  const dir = tempFolder();
  mkdirSync(join(dir, 'jobs'));
  writeFileSync(join(dir, 'config.yaml'), CONFIG);
  writeFileSync(join(dir, 'jobs/customer.yaml'), job);
  const { jobs } = loadPipeline(dir, { env: {} });
  return checkJobs(jobs).map((problem) => formatProblem(problem).replace(`${join(dir, 'jobs')}/`, ''));
}

const VALID = `
name: customers
source: {table: customer, row_format: full}
transform:
  - uses: filter
    with: {expression: "after.tier == 'gold' || opcode == 'd'", language: jmespath}
  - uses: add_field
    with: {field: after.full, expression: "\`after.fname\` || ' ' || \`after.lname\`", language: sql}
  - uses: add_field
    with:
      fields:
        - {field: after.band, expression: "CASE WHEN after.age < 30 THEN 'young' ELSE 'adult' END", language: sql}
        - {field: after.who, expression: "concat([after.fname, ' ', upper(after.lname)])", language: jmespath}
  - uses: redis.lookup
    with:
      connection: target
      cmd: HGET
      args: ["concat(['tier:', after.tier])", "\`label\`"]
      language: jmespath
      field: after.label
      when: {expression: "after.tier IS NOT NULL", language: sql}
  - uses: map
    with: {language: jmespath, expression: {id: after.id, name: {first: after.fname, last: after.lname}, "last name": after.lname}}
  - uses: map
    with: {language: sql, expression: {id: id, twice: id * 2, none: "null"}}
  - uses: map
    with: {language: sql, expression: '{"id": "id", "flag": "1"}'}
  - uses: remove_field
    with: {fields: [{field: a}, {field: b.c}]}
  - uses: rename_field
    with: {from_field: a, to_field: b}
output:
  - uses: redis.write
    with:
      data_type: hash
      key: {expression: "concat(['c:', id])", language: jmespath}
      expire: {expression: "age * 10", language: sql}
  - uses: redis.write
    with: {data_type: json, expire: 100}
`;

describe('the expressions of a job', () => {
  it('are accepted in every block and output', () => {
    expect(problemsOf(VALID)).toEqual([]);
  });

  it.each([
    ['with: {expression: "age >> 3", language: jmespath}', 'customer.yaml:4:24: unexpected > (jmespath, character 6)'],
    ['with: {expression: "shout(x)", language: jmespath}', 'customer.yaml:4:24: there is no function shout'],
    ['with: {expression: "no_such(x)", language: sql}', 'customer.yaml:4:24: There is no function no_such()'],
    [
      'with: {expression: "x = 1", language: python}',
      'customer.yaml:4:43: "language" is jmespath or sql, not "python"',
    ],
    ['with: {expression: [a], language: sql}', ': an expression is a text'],
    ['with: {language: sql}', 'an expression is a text'],
  ])('that can never work are named with their place: %s', (block, problem) => {
    const problems = problemsOf(`source: {table: customer}\ntransform:\n  - uses: filter\n    ${block}\n`);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain(problem);
  });

  it('are all reported at once, with unknown blocks', () => {
    const problems = problemsOf(`source: {table: customer}
transform:
  - uses: explode
    with: {}
  - uses: redis.lookup
    with: {cmd: GET, args: ["a b", "'x'", "((" ], language: jmespath, field: f}
  - uses: map
    with: {expression: {a: {b: "x +"}}, language: jmespath}
output:
  - uses: redis.write
    with: {key: {expression: "upper(", language: sql}}
`);
    expect(problems.map((problem) => problem.split(':')[1])).toEqual(['3', '6', '6', '8', '11']);
  });

  it('of a map in SQL must be an object', () => {
    const problems = problemsOf(
      'source: {table: c}\ntransform:\n  - {uses: map, with: {expression: "id", language: sql}}\n',
    );
    expect(problems[0]).toContain('a map in SQL is an object');
  });
});
