import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadForRehearsal, TestRunner } from '../../../src/rehearsal/index.ts';
import { readTestFile } from '../../../src/rehearsal/test-file.ts';
import { type ExpectedKeys, type JobCase, readJobCases, toJson, writePipeline } from '../../helpers/job-cases.ts';
import { tempFolder } from '../../helpers/temp-folder.ts';

/**
 * Every case that the real target is held against, as a job test: what `rdi test` says of a job is what the engine does with
 * it. Written as JSON, which is YAML.
 */
const cases = readJobCases().filter(({ deployError }) => deployError === null);
const folder = tempFolder({ inMemory: true });

describe('a job test says of a case what a real target does', () => {
  it.for(cases.map((one) => [`${one.id} ${one.about}`, one] as const))('%s', async ([, one]) => {
    const dir = join(folder, one.id);
    const [test] = readTestFile(join(dir, 'jobs/tests/case.yaml'), writeCase(one, dir));
    const result = await new TestRunner(loadForRehearsal(dir, {})).run(test!);
    const reasons = result.events.map(({ reason }) => reason ?? '').join('\n');
    expect(result.differences, reasons).toEqual([]);
    if (one.reason !== null) expect(reasons).toContain(one.reason);
    if (one.warning !== null) expect(result.warnings.join('\n')).toContain(one.warning);
  });
});

function writeCase(one: JobCase, dir: string): string {
  const connection = { type: 'redis', host: '127.0.0.1', port: 6379 };
  writePipeline(dir, one, { target: { connection }, ...(one.other ? { other: { connection } } : {}) });
  mkdirSync(join(dir, 'jobs/tests'));
  const lines = one.events.map(({ stream, key, value }, i) => {
    return JSON.stringify({
      stream,
      fields: [
        ['key', key],
        ['value', value(i)],
      ],
    });
  });
  writeFileSync(join(dir, 'events.ndjson'), lines.join('\n'));
  const before = keysOf(one.pre);
  const ignored = Object.fromEntries(one.ignore.flatMap((key) => (before[key] ? [[key, before[key]]] : [])));
  const test = {
    name: one.id,
    given: one.events.length === 0 ? [] : [{ recorded: '../../events.ndjson' }],
    keys: before,
    lookups: listsOf(one.pre),
    expect: {
      keys: { ...ignored, ...one.keys },
      keys_of: one.other ? { other: one.other } : {},
      rejected: one.rejected,
      filtered: one.filtered,
      ...(one.commands ? { commands: one.commands } : {}),
    },
  };
  return toJson([test]);
}

/** What the commands that a case begins with leave. A list is no type of a job's; any other type stands for it. */
function keysOf(commands: JobCase['pre']): ExpectedKeys {
  const keys: Record<string, Record<string, unknown>> = {};
  for (const [command = '', key = '', ...words] of commands) {
    if (command === 'HSET') keys[key] = { hash: { ...(keys[key]?.['hash'] as object), ...pairs(words) } };
    else if (command === 'SET') keys[key] = { string: words[0] };
    else if (command === 'MSET') {
      for (const [name, text] of Object.entries(pairs([key, ...words]))) keys[name] = { string: text };
    } else if (command === 'SADD' || command === 'RPUSH') keys[key] = { set: words };
    else if (command === 'ZADD') keys[key] = { zset: swapped(words) };
    else if (command === 'JSON.SET') keys[key] = { json: rawJson(words[1]!) };
    else if (command === 'EXPIRE') keys[key] = { ...keys[key], ttl: Number(words[0]) };
    else throw new Error(`no case begins with ${command}`);
  }
  return keys as ExpectedKeys;
}

function listsOf(commands: JobCase['pre']): unknown[] {
  const lists = commands.filter(([command]) => command === 'RPUSH');
  return lists.map(([, key, ...reply]) => ({ command: ['LRANGE', key, '0', '-1'], reply }));
}

function pairs(words: readonly string[]): Record<string, string> {
  return Object.fromEntries(words.flatMap((word, i) => (i % 2 === 0 ? [[word, words[i + 1]!]] : [])));
}

function swapped(words: readonly string[]): Record<string, string> {
  return Object.fromEntries(Object.entries(pairs(words)).map(([score, member]) => [member, score]));
}

function rawJson(text: string): unknown {
  return JSON.parse(text);
}
