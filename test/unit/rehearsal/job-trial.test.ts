import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Entries, editJob, loadForRehearsal, requireJobs, TestRunner, tryJob } from '../../../src/rehearsal/index.ts';
import { readTestFile } from '../../../src/rehearsal/test-file.ts';
import { LookupError, type LookupReader } from '../../../src/transform/index.ts';
import { readJobCases, writePipeline } from '../../helpers/job-cases.ts';
import { tempFolder } from '../../helpers/temp-folder.ts';

const folder = tempFolder({ inMemory: true });
const connection = { type: 'redis', host: '127.0.0.1', port: 6379 };
const signal = new AbortController().signal;

/** Answers every lookup the same way for the same command. */
const reader: LookupReader = {
  read: async (commands) =>
    commands.map(([name = '', key = '']) => {
      if (/^(HGETALL|SMEMBERS|LRANGE|HMGET|MGET|ZRANGE)$/.test(name)) return ['a', 'b'];
      if (/^(EXISTS|SISMEMBER)$/.test(name)) return 1;
      return key.length % 5 === 0 ? new LookupError('WRONGTYPE of this key') : `found ${key}`;
    }),
};

describe('the test that a trial writes passes, and says what the trial said', () => {
  const cases = readJobCases().filter(({ deployError, events }) => deployError === null && events.length > 0);
  it.for(cases.map((one) => [`${one.id} ${one.about}`, one] as const))('%s', async ([, one]) => {
    const dir = join(folder, one.id);
    writePipeline(dir, one, { target: { connection }, ...(one.other ? { other: { connection } } : {}) });
    const pipeline = loadForRehearsal(dir, {});
    const jobs = requireJobs(pipeline);
    const readers = new Map(Object.keys(pipeline.targets).map((name) => [name, reader]));
    const entries = new Entries();
    for (const [i, event] of one.events.entries()) {
      const entry = entries.ofTexts(event.stream, [
        ['key', event.key],
        ['value', event.value(i)],
      ]);
      const { result, test } = await tryJob({ pipeline, jobs }, entry, readers, signal);
      if (test.startsWith('# This test fails when')) {
        expect(one.jobs.map((job) => JSON.stringify(job)).join(), test).toMatch(/uuid|now|time|date/i);
        continue;
      }
      const [read] = readTestFile(join(dir, 'jobs/tests/tried.yaml'), test);
      const run = await new TestRunner(pipeline).run(read!);
      expect(run.differences, test).toEqual([]);
      expect(run.events).toMatchObject([{ outcome: result.outcome, commands: result.commands }]);
    }
  });
});

describe('a job on trial', () => {
  const dir = join(folder, 'trial');
  writePipeline(dir, readJobCases().find(({ jobs, deployError }) => jobs.length === 1 && deployError === null)!, {
    target: { connection },
  });
  const deployed = { ...loadForRehearsal(dir, {}), jobs: [] };
  const job = `source: {table: orders}
transform:
  - uses: add_field
    with: {field: total, expression: amount * 2, language: sql}
output:
  - uses: redis.write
    with: {connection: target, data_type: hash, key: {expression: "concat(['o:', id])", language: jmespath}}
`;

  it('is checked like a deployed one, with places', () => {
    const { problems } = editJob(deployed, job.replace('connection: target', 'connection: elsewhere'), 'orders');
    expect(problems).toEqual([expect.objectContaining({ file: 'jobs/orders.yaml', line: 7 })]);
    expect(editJob(deployed, 'source: [').problems).toEqual([
      expect.objectContaining({ file: 'jobs/playground.yaml', line: 1 }),
    ]);
  });

  it('takes the place of the deployed job of its name, and stands beside the others else', () => {
    const first = editJob(deployed, job, 'orders');
    expect(first.problems).toEqual([]);
    expect(editJob(first.pipeline, job.replace('* 2', '* 3'), 'orders.yaml')).toMatchObject({
      problems: [],
      jobs: { length: 1 },
    });
    expect(editJob(first.pipeline, job, 'other').problems).not.toEqual([]);
  });

  it('shows rows in the short form where that says the same', async () => {
    const entry = new Entries().ofJson('{"table":"orders","op":"c","key":{"id":7},"after":{"id":7,"amount":2}}', '');
    const { result, test } = await tryJob(editJob(deployed, job), entry, new Map(), signal);
    expect(result).toMatchObject({ job: 'playground', outcome: 'written' });
    expect(test).toContain('{table: "orders", op: c, key: {"id":7}, before: null, after: {"id":7,"amount":2}');
    expect(test).toContain('? "o:7"\n      : {"hash":{"id":"7","amount":"2","total":"4"}}');
  });
});
