import { describe, expect, it } from 'vitest';
import {
  createTransformer,
  type LookupReader,
  MAIN_LANE,
  type TransformTrace,
} from '../../../../src/transform/index.ts';
import type { JobDefinition } from '../../../../src/transform/jobs/definition.ts';
import type { TargetWrite } from '../../../../src/write/types.ts';
import {
  add,
  type EventForm,
  eventOf,
  expression,
  filter,
  jobOf,
  lookup,
  output,
  run,
  show,
  TABLE,
  testClock,
  World,
} from './job-world.ts';

const key = (text: string) => expression(`jm: concat(['${text}:', id])`);
const ORDERS = { ...TABLE, table: 'orders' };
const NOBODY: LookupReader = { read: async () => [] };

describe('the job of a table', () => {
  const any = jobOf([], { name: 'any', isDefault: true, matches: () => true, outputs: [output({ key: key('any') })] });
  const own = jobOf([], { outputs: [output({ key: key('own') })] });

  it('is its own one, else the default job, else none', async () => {
    const events = [{ after: { id: 1 } }, { after: { id: 2 }, table: ORDERS }];
    expect((await run([any, own], events)).writes.map(({ key }) => key)).toEqual(['own:1', 'any:2']);
    expect((await run([own], events)).writes.map(({ key }) => key)).toEqual(['own:1', 'orders:id:2']);
    expect((await run([], events)).writes.map(({ key }) => key)).toEqual(['customer:id:1', 'orders:id:2']);
  });

  it('is no way around the connections: a table that nothing selects is written nowhere but to the default one', async () => {
    const elsewhere = { ...any, matches: ({ table }: { table: string }) => table !== 'orders' };
    const other = { ...elsewhere, outputs: elsewhere.outputs.map((one) => ({ ...one, connection: 'other' })) };
    const { writes, rejected } = await run([other], [{ after: { id: 1 } }, { after: { id: 2 }, table: ORDERS }]);
    expect(writes.map(({ key }) => key)).toEqual(['any:1']);
    expect(rejected.get(1)!.reason).toContain('No job selects the table');
  });

  it('gives the reason when there is no key', async () => {
    const { rejected } = await run([own], [{ after: { id: 1 }, table: ORDERS, key: null }]);
    expect(rejected.get(0)!.code).toBe('TRANSFORM_NO_KEY');
    expect(rejected.get(0)!.origin).toBeUndefined();
  });

  it('passes over entries that are no changes', async () => {
    const { writes } = await new World([own]).run([null, eventOf({ after: { id: 1 } }), null]);
    expect(writes.map(({ index }) => index)).toEqual([1]);
  });
});

describe('several outputs', () => {
  const first = output({ step: 'output[0] redis.write', key: expression('jm: a') });
  const second = output({ step: 'output[1] redis.write', key: key('b') });
  const third = output({ step: 'output[2] redis.write', dataType: 'hash', key: key('c'), expire: expression('jm: a') });

  it('write in their order, event by event', async () => {
    const { writes } = await run(jobOf([], { outputs: [first, second] }), [
      { after: { id: 1, a: 'x' } },
      { after: { id: 2, a: 'y' } },
    ]);
    expect(writes.map(({ key, index, origin }) => [key, index, origin?.step])).toEqual([
      ['x', 0, first.step],
      ['b:1', 0, second.step],
      ['y', 1, first.step],
      ['b:2', 1, second.step],
    ]);
  });

  it('stand by themselves: one that fails rejects the record and leaves the others', async () => {
    const { writes, rejected } = await run(jobOf([], { outputs: [first, second] }), [{ after: { id: 1, a: null } }]);
    expect(writes.map(({ key }) => key)).toEqual(['b:1']);
    const rejection = rejected.get(0)!;
    expect(rejection.code).toBe('TRANSFORM_BAD_OUTPUT');
    expect(rejection.reason).toMatch(/^The job customers fails at output\[0\] redis\.write: .*key expression/);
    expect(rejection.origin).toEqual({ job: 'customers', step: first.step, expression: 'a' });
  });

  it('that fail are all named in one rejection', async () => {
    const text = 'no number';
    const job = jobOf([add({ a: `jm: [id]` })], { outputs: [first, second, third] });
    const { rejected, writes } = await run(job, [{ after: { id: 1, a: text } }]);
    expect(writes.map(({ key }) => key)).toEqual(['b:1']);
    expect(rejected.get(0)!.reason).toMatch(
      /output\[0\] redis\.write: .* It fails also at output\[2\] redis\.write: .*expire/,
    );
  });

  it('whose `when` leaves the record out count it as filtered only when none wrote', async () => {
    const when = expression('jm: a');
    const job = jobOf([], { outputs: [output({ when }), output({ when: expression("jm: a == 'x'") })] });
    const { filtered } = await run(job, [
      { after: { id: 1, a: 'x' } },
      { after: { id: 2, a: 'y' } },
      { after: { id: 3 } },
    ]);
    expect(filtered).toEqual([2]);
  });
});

describe('connections and lanes', () => {
  const elsewhere = output({ connection: 'replica', key: key('r') });
  const plain = jobOf([]);
  const copied = jobOf([], {
    name: 'copied',
    matches: ({ table }) => table === 'orders',
    outputs: [elsewhere, output()],
  });
  const looks = (connection: string) =>
    jobOf([lookup('GET', ["jm: 'x'"], 'v', { connection })], {
      name: connection,
      matches: ({ table }) => table === connection,
    });

  it('are those that are written to, `target` first', () => {
    expect(new World([]).transformer.connections).toEqual(['target']);
    expect(new World([copied, plain]).transformer.connections).toEqual(['target', 'replica']);
    const all = jobOf([], { isDefault: true, matches: () => true, outputs: [elsewhere] });
    expect(new World([all]).transformer.connections).toEqual(['replica']);
    const some = { ...all, matches: ({ serverName }: typeof TABLE) => serverName === 'rdi' };
    expect(new World([some]).transformer.connections).toEqual(['target', 'replica']);
  });

  it('get the writes of their outputs', async () => {
    const { writes, others } = await run([plain, copied], [{ after: { id: 1 }, table: ORDERS }, { after: { id: 2 } }]);
    expect(writes.map(show)).toEqual(['json orders:id:1 id=1', 'json customer:id:2 id=2']);
    expect(others.map((list) => list.map(show))).toEqual([['json r:1 id=1']]);
  });

  it('share a lane where jobs need the same ones, and leave the main lane to jobs that wait for nothing', () => {
    const lookups = new Map(['target', 'cache'].map((name) => [name, NOBODY]));
    const jobs = [
      plain,
      copied,
      looks('target'),
      looks('cache'),
      { ...looks('cache'), name: 'x', matches: () => true },
    ];
    const { transformer } = new World(jobs, { lookups });
    const lane = (table: string) => transformer.laneOf({ ...TABLE, table });
    expect(lane('customer')).toBe(MAIN_LANE);
    expect(new World([]).transformer.laneOf(TABLE)).toBe(MAIN_LANE);
    expect(new Set([lane('orders'), lane('target'), lane('cache'), MAIN_LANE]).size).toBe(4);
    expect(lane('other')).toBe(lane('cache'));
  });
});

describe('warnings', () => {
  const elsewhere = { ...TABLE, schema: 'archive' };
  const events = [
    { after: { id: 1 } },
    { after: { id: 1 }, table: elsewhere },
    { after: { id: 1 }, table: { ...TABLE } },
  ];

  it('tell once that tables with one name share their default keys', async () => {
    const { warnings } = await run([], [...events, { after: { id: 2 }, table: { ...elsewhere } }]);
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toMatch(/rdi\.shop\.public\.customer and rdi\.shop\.archive\.customer/);
  });

  it('do not, where the keys differ', async () => {
    expect((await run([], events, { keyTemplate: '{schema}:{table}:{key}' })).warnings).toEqual([]);
    const own = jobOf([], { matches: ({ schema }) => schema === 'archive', outputs: [output({ key: key('a') })] });
    expect((await run([own], events)).warnings).toEqual([]);
  });
});

describe('the trace', () => {
  it('tells the record after each block as it was then, and what each output added', () => {
    const told: string[] = [];
    const blocks = [
      add({ a: 'jm: id' }),
      add({ 'o.x': 'jm: a' }),
      add({ 'o.x': 'jm: `9`', a: 'jm: `9`' }),
      filter('jm: id'),
    ];
    const kept: { step: string; record: unknown }[] = [];
    const traced = new TracedWorld(jobOf(blocks), {
      onBlock: (_index, step, record) => kept.push({ step, record }),
      onOutput: (index, step, writes) => told.push(`${index} ${step}: ${writes.map(show).join()}`),
    });
    traced.run([{ after: { id: 1 } }, { after: { id: 0 } }]);
    expect(kept.map(({ record }) => record && JSON.stringify([...(record as Map<string, unknown>)]))).toEqual([
      '[["id",1],["a",1]]',
      expect.stringContaining('["a",1],["o",'),
      expect.stringContaining('["a",9],["o",'),
      expect.stringContaining('["a",9],["o",'),
      '[["id",0],["a",0]]',
      expect.anything(),
      expect.anything(),
      null,
    ]);
    const nested = kept
      .slice(1, 3)
      .map(({ record }) => (record as Map<string, Map<string, number>>).get('o')?.get('x'));
    expect(nested).toEqual([1, 9]);
    expect(told).toEqual(['0 output[0] redis.write: json customer:id:1 id=1 a=9 o={"x":9}']);
  });
});

class TracedWorld {
  readonly #transformer;

  constructor(job: JobDefinition, trace: TransformTrace) {
    this.#transformer = createTransformer({
      jobs: [job],
      settings: { dataType: 'hash', jsonUpdate: 'replace', keyTemplate: '{table}:{key}' },
      lookups: new Map(),
      clock: testClock,
      onWarning: () => {},
      trace,
    });
  }

  run(events: readonly EventForm[]): void {
    const writes: TargetWrite[] = [];
    const results = { writes: [writes], filtered: () => {}, rejected: () => {} };
    this.#transformer.transform(events.map(eventOf), results, new AbortController().signal);
  }
}
