import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { BLOCK_KEYS } from '../../../../src/transform/jobs/read/blocks.ts';
import { CACHE_KEYS, EXPRESSION_KEYS } from '../../../../src/transform/jobs/read/expression.ts';
import { JOB_KEYS, SOURCE_KEYS } from '../../../../src/transform/jobs/read/job.ts';
import { jobSchema } from '../../../../src/transform/jobs/read/job-schema.ts';
import { BATCH_KEYS } from '../../../../src/transform/jobs/read/lookup.ts';
import { NEST_KEYS, PARENT_KEYS } from '../../../../src/transform/jobs/read/nest.ts';
import { OUTPUT_KEYS } from '../../../../src/transform/jobs/read/outputs.ts';
import { readJobCases, toJson } from '../../../helpers/job-cases.ts';
import { readTexts } from './read-text.ts';

interface Map {
  readonly properties: Readonly<Record<string, Map & { readonly const?: string }>>;
}

const schema = jobSchema() as Map & {
  readonly $defs: Readonly<Record<'source' | 'output' | 'nest' | 'cache' | 'expression', Map>> & {
    readonly block: { readonly oneOf: readonly Map[] };
  };
};
const { $defs } = schema;
const keysOf = (map: Map) => Object.keys(map.properties).sort();
const sorted = (keys: readonly string[]) => [...keys].sort();

const asZod = z.fromJSONSchema(schema as unknown as Parameters<typeof z.fromJSONSchema>[0]);
const isValid = (content: unknown) => asZod.safeParse(content).success;

describe('the schema of jobs for editors', () => {
  it('has the properties that the readers know', () => {
    expect(keysOf(schema)).toEqual(sorted(JOB_KEYS));
    expect(keysOf($defs.source)).toEqual(sorted(SOURCE_KEYS));
    expect(keysOf($defs.output.properties['with']!)).toEqual(sorted(OUTPUT_KEYS));
    expect(keysOf($defs.nest).filter((key) => !key.includes('-'))).toEqual(sorted(NEST_KEYS));
    expect(keysOf($defs.nest.properties['parent']!)).toEqual(sorted(PARENT_KEYS));
    expect(keysOf($defs.cache)).toEqual(sorted(CACHE_KEYS));
    expect(keysOf($defs.expression)).toEqual(sorted(EXPRESSION_KEYS));
    const blocks = $defs.block.oneOf.map(({ properties }) => [properties['uses']!.const, keysOf(properties['with']!)]);
    const known = Object.entries(BLOCK_KEYS).map(([name, keys]) => [name, sorted(keys)]);
    expect(Object.fromEntries(blocks)).toEqual(Object.fromEntries(known));
    const lookup = $defs.block.oneOf.find(({ properties }) => properties['uses']!.const === 'redis.lookup');
    expect(keysOf(lookup!.properties['with']!.properties['batch']!)).toEqual(sorted(BATCH_KEYS));
  });

  it('accepts every job of the cases that rdi accepts', () => {
    const wrong = readJobCases().flatMap(({ id, jobs }) =>
      jobs
        .filter((job) => {
          const text = toJson(job);
          return readTexts({ 'a.yaml': text }).problems.length === 0 && !isValid(parse(text));
        })
        .map(() => id),
    );
    expect(wrong).toEqual([]);
  });

  it('accepts the jobs of the examples', () => {
    const folder = join(import.meta.dirname, '../../../../examples/jobs/jobs');
    const files = readdirSync(folder).filter((name) => name.endsWith('.yaml'));
    expect(files.length).toBeGreaterThan(0);
    for (const name of files)
      expect([name, isValid(parse(readFileSync(join(folder, name), 'utf8')))]).toEqual([name, true]);
  });

  it.each([
    'source: {tabel: t}',
    'source: {table: t}\ntransform: [{uses: explode, with: {}}]',
    'source: {table: t}\ntransform: [{uses: filter, with: {expression: a, language: python}}]',
    'source: {table: t}\noutput: [{uses: redis.write, with: {data_type: list}}]',
    'source: {table: t}\noutput: [{uses: redis.write, with: {nest: {parent: {table: o}, path: lines}}}]',
  ])('refuses what rdi refuses: %s', (text) => {
    expect(isValid(parse(text))).toBe(false);
  });
});
