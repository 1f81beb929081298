import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { loadForRehearsal, TestRunner } from '../../../src/rehearsal/index.ts';
import { readTestFile } from '../../../src/rehearsal/test-file.ts';
import { tempFolder } from '../../helpers/temp-folder.ts';

const folder = tempFolder({ inMemory: true });

const JOB = `
source: {table: customer}
transform:
  - {uses: filter, with: {language: sql, expression: id > 0}}
  - uses: redis.lookup
    with: {cmd: GET, args: ["concat(['name:', id])"], language: jmespath, field: name}
output:
  - uses: redis.write
    with: {data_type: hash, connection: cache, key: {language: jmespath, expression: note}}
`;

beforeAll(() => {
  mkdirSync(join(folder, 'jobs'));
  const connection = 'connection: {type: redis, host: 127.0.0.1, port: 6379}';
  writeFileSync(join(folder, 'config.yaml'), `targets: {target: {${connection}}, cache: {${connection}}}\n`);
  writeFileSync(join(folder, 'jobs/customer.yaml'), JOB);
});

/** Differences by what they are of, each with its lines that are not on both sides. */
async function differences(given: string, rest: string): Promise<Record<string, string[]>> {
  const [test] = readTestFile(join(folder, 't.yaml'), `- {name: t, given: [${given}], ${rest}}`);
  const result = await new TestRunner(loadForRehearsal(folder, {})).run(test!);
  expect(result.passed).toBe(result.differences.length === 0);
  return Object.fromEntries(
    result.differences.map(({ of, lines }) => [of, lines.filter((line) => !line.startsWith(' '))]),
  );
}

const GOOD = '{table: customer, op: c, key: {id: 1}, after: {id: 1, note: a}}';
const REJECTED = '{table: customer, op: c, key: {id: 2}, after: {id: 2, note: null}}';
const FILTERED = '{table: customer, op: c, key: {id: 0}, after: {id: 0, note: b}}';

describe('a job test', () => {
  it('fails for a rejection that nobody expected', async () => {
    const { rejected, ...others } = await differences(`${GOOD}, ${REJECTED}`, 'expect: {filtered: 0}');
    expect(others).toEqual({});
    expect(rejected).toEqual([expect.stringMatching(/^\+ .*key expression/)]);
  });

  it('fails for a rejection that did not come, or came for another reason', async () => {
    expect(await differences(GOOD, 'expect: {rejected: 1}')).toEqual({ rejected: ['- 1. rejection'] });
    expect(await differences(REJECTED, 'expect: {rejected: [score]}')).toEqual({
      rejected: ['- score', expect.stringMatching(/^\+ .*key expression/)],
    });
    expect(await differences(REJECTED, 'expect: {rejected: [key expression]}')).toEqual({});
    expect(await differences(REJECTED, 'expect: {rejected: 1}')).toEqual({});
  });

  it('counts the changes that were filtered', async () => {
    expect(await differences(`${FILTERED}, ${GOOD}`, 'expect: {filtered: 1}')).toEqual({});
    expect(await differences(FILTERED, 'expect: {filtered: 0}')).toEqual({ filtered: ['- 0', '+ 1'] });
  });

  it('compares the commands of the last change only, word for word', async () => {
    const expected = 'expect: {commands: [[HSET, a, id, 1, note, a]]}';
    expect(await differences(`${FILTERED}, ${GOOD}`, expected)).toEqual({});
    expect(await differences(`${GOOD}, ${FILTERED}`, expected)).toEqual({
      'commands of the last change': ['- HSET a id 1 note a'],
    });
  });

  it('keeps the keys of connections apart', async () => {
    const written = 'keys_of: {cache: {a: {hash: {id: 1, note: a}}}}';
    expect(await differences(GOOD, `expect: {keys: {}, ${written}}`)).toEqual({});
    expect(await differences(GOOD, `expect: {keys_of: {cache: {}}}`)).toEqual({
      'keys of cache': ['+ a: hash', '+   id: "1"', '+   note: "a"'],
    });
  });

  it('answers lookups with what was written down, else from the keys', async () => {
    const name = (text: string) => `expect: {keys_of: {cache: {a: {hash: {id: 1, note: a, name: ${text}}}}}}`;
    const keys = 'keys: {name:1: {string: Bob}}';
    expect(await differences(GOOD, `${keys}, ${name('Bob')}`)).toEqual({});
    const lookups = 'lookups: [{command: [get, name:1], reply: Ada}]';
    expect(await differences(GOOD, `${keys}, ${lookups}, ${name('Ada')}`)).toEqual({});
    const error = 'lookups: [{command: [GET, name:1], error: LOADING it}]';
    expect(await differences(GOOD, `${error}, expect: {rejected: [LOADING it]}`)).toEqual({});
  });
});
