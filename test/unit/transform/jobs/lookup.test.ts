import { describe, expect, it } from 'vitest';
import { LookupError, type LookupReader, type LookupReply } from '../../../../src/transform/index.ts';
import { NumberText } from '../../../../src/types.ts';
import {
  add,
  eventOf,
  expression,
  filter,
  jobOf,
  lookup,
  map,
  output,
  run,
  show,
  TABLE,
  testClock,
  World,
} from './job-world.ts';

type Answer = (command: readonly string[]) => LookupReply;

/** A connection that answers by a function and keeps what it was asked, one list per pipeline. */
class Target implements LookupReader {
  readonly pipelines: (readonly string[])[][] = [];
  readonly #answer: Answer;

  constructor(answer: Answer = (command) => command.join(' ')) {
    this.#answer = answer;
  }

  async read(commands: readonly (readonly string[])[], signal: AbortSignal): Promise<LookupReply[]> {
    signal.throwIfAborted();
    this.pipelines.push([...commands]);
    await Promise.resolve();
    return commands.map(this.#answer);
  }

  get asked(): string[] {
    return this.pipelines.flat().map((command) => command.join(' '));
  }
}

const targets = (target: LookupReader, other = target) =>
  new Map([
    ['target', target],
    ['cache', other],
  ]);

async function lookedUp(
  block: ReturnType<typeof lookup>,
  answer: Answer,
  after: Parameters<typeof eventOf>[0]['after'] = { id: 1 },
) {
  const { records, rejected } = await run(jobOf([block, map({ v: 'jm: v' })]), [{ after: after! }], {
    lookups: targets(new Target(answer)),
  });
  return rejected.get(0)?.reason ?? records.get(0);
}

describe('the reply', () => {
  const get = lookup('GET', ["jm: 'k'"], 'v');

  it.each<[LookupReply, string]>([
    ['text', '{"v":"text"}'],
    [null, '{"v":null}'],
    [3, '{"v":3}'],
    [['a', null, ['b', 2]], '{"v":["a",null,["b",2]]}'],
    [[], '{"v":[]}'],
  ])('%j becomes %s', async (reply, record) => {
    expect(await lookedUp(get, () => reply)).toBe(record);
  });

  it('of HGETALL is an object, of CONFIG GET or ZRANGE a flat array', async () => {
    const flat = () => ['2', 'b', '1', 'a'];
    expect(await lookedUp(lookup('HGETALL', ["jm: 'k'"], 'v'), flat)).toBe('{"v":{"2":"b","1":"a"}}');
    expect(await lookedUp(lookup('HGETALL', ["jm: 'k'"], 'v'), () => [])).toBe('{"v":{}}');
    expect(await lookedUp(lookup('CONFIG GET', ["jm: 'k'"], 'v'), flat)).toBe('{"v":["2","b","1","a"]}');
  });

  it('goes where the path says', async () => {
    const { records } = await run(jobOf([{ ...get, field: ['o', 'p.q'] }]), [{ after: { id: 1 } }], {
      lookups: targets(new Target(() => 'ok')),
    });
    expect(records.get(0)).toBe('{"id":1,"o":{"p.q":"ok"}}');
  });

  it('that is an error rejects the record that asked with the words of the target', async () => {
    const answer: Answer = ([, key]) => (key === 'k1' ? new LookupError('WRONGTYPE wrong kind of value') : 'fine');
    const { rejected, writes } = await run(
      jobOf([lookup('GET', ["jm: concat(['k', id])"], 'v')]),
      [{ after: { id: 1 } }, { after: { id: 2 } }],
      { lookups: targets(new Target(answer)) },
    );
    expect(rejected.get(0)).toEqual({
      code: 'LOOKUP_REFUSED',
      reason:
        'The job customers fails at transform redis.lookup: the target answers GET "k1" with "WRONGTYPE wrong kind of value".',
      origin: { job: 'customers', step: 'transform redis.lookup' },
    });
    expect(writes.map(show)).toEqual(['json customer:id:2 id=2 v=fine']);
  });
});

describe('the arguments', () => {
  const asked = async (args: readonly string[], after: Parameters<typeof eventOf>[0]['after']) => {
    const target = new Target();
    const { rejected } = await run(jobOf([lookup('MGET', args, 'v')]), [{ after: after! }], {
      lookups: targets(target),
    });
    return rejected.get(0)?.reason ?? target.pipelines.flat()[0];
  };

  it('are texts; numbers keep their digits, arrays are spread', async () => {
    const after = { id: new NumberText('9007199254740993'), yes: true, no: false, n: 1.5 };
    expect(await asked(['jm: id', 'jm: [yes, no]', 'sql: n', "jm: ''", 'jm: `[]`'], after)).toEqual([
      'MGET',
      '9007199254740993',
      '1',
      '0',
      '1.5',
      '',
    ]);
  });

  it.each(['jm: label', 'jm: [id, label]', 'sql: label', 'jm: @', 'jm: [[id]]'])(
    'reject the record when they are null or no text: %s',
    async (text) => {
      expect(await asked([text], { id: 1 })).toMatch(/redis\.lookup.*an argument of MGET is (null|an object|an array)/);
    },
  );
});

describe('`when`', () => {
  const block = lookup('GET', ["jm: 'vip'"], 'v', { when: expression("sql: note <> ''") });

  it('false skips the lookup and leaves the field alone', async () => {
    const target = new Target(() => 'yes');
    const events = [
      { after: { id: 1, note: null } },
      { after: { id: 2, note: 'x' } },
      { after: { id: 3, note: '', v: 5 } },
    ];
    const { writes } = await run(jobOf([block]), events, { lookups: targets(target) });
    expect(writes.map(show)).toEqual([
      'json customer:id:1 id=1 note=null',
      'json customer:id:2 id=2 note=x v=yes',
      'json customer:id:3 id=3 note= v=5',
    ]);
    expect(target.asked).toEqual(['GET vip']);
  });

  it('failing rejects', async () => {
    const failing = { ...block, when: expression('jm: length(note) > `1`') };
    expect(await lookedUp(failing, () => 'x', { id: 1, note: null })).toMatch(/redis\.lookup.*length/);
  });
});

describe('a batch', () => {
  const byTier = lookup('HGET', ["jm: concat(['tier:', tier])", "jm: 'label'"], 'label');

  it('asks each question once, in pipelines of the given size, and keeps the order of the events', async () => {
    const target = new Target(([, key]) => key!.slice(5).toUpperCase());
    const tiers = ['a', 'b', 'a', 'c', 'b'];
    const job = jobOf([{ ...byTier, batch: { size: 2, timeoutMs: 1 } }]);
    const { writes } = await run(
      job,
      tiers.map((tier, id) => ({ after: { id, tier } })),
      { lookups: targets(target) },
    );
    expect(writes.map(show)).toEqual(
      tiers.map((tier, id) => `json customer:id:${id} id=${id} tier=${tier} label=${tier.toUpperCase()}`),
    );
    expect(target.pipelines.map((pipeline) => pipeline.length)).toEqual([2, 1]);
  });

  it('writes events that ask nothing in their place among the others', async () => {
    const orders = { ...TABLE, table: 'orders' };
    const job = jobOf([{ ...byTier, when: expression('jm: tier') }]);
    const { writes, rejected } = await run(
      job,
      [
        { after: { id: 1 } },
        { after: { id: 2, tier: 'a' } },
        { after: { id: 3 }, table: orders },
        { after: { id: 4 } },
        { after: { id: 5 }, table: orders, key: null },
      ],
      { lookups: targets(new Target()) },
    );
    expect(writes.map(({ key }) => key)).toEqual(['customer:id:1', 'customer:id:2', 'orders:id:3', 'customer:id:4']);
    expect([...rejected.keys()]).toEqual([4]);
  });

  it('goes on block by block: a second lookup may need the first', async () => {
    const target = new Target(([name, key]) => (name === 'GET' ? `by ${key}` : 'gold'));
    const blocks = [
      lookup('HGET', ['jm: to_string(id)', "jm: 'tier'"], 'tier'),
      filter("jm: tier == 'gold'"),
      lookup('GET', ['jm: tier'], 'text', { connection: 'cache' }),
      add({ up: 'jm: upper(text)' }),
    ];
    const { records, writes } = await run(jobOf(blocks), [{ after: { id: 1 } }], { lookups: targets(target) });
    expect(records.get(0)).toBe('{"id":1,"tier":"gold","text":"by gold","up":"BY GOLD"}');
    expect(writes).toHaveLength(1);
  });

  it('asks for itself in every record where answers are random', async () => {
    const target = new Target(() => 'x');
    await run(jobOf([lookup('SRANDMEMBER', ["jm: 's'"], 'v')]), [{ after: { id: 1 } }, { after: { id: 2 } }], {
      lookups: targets(target),
    });
    expect(target.asked).toHaveLength(2);
  });

  it('is synchronous when nothing is to be asked', () => {
    const world = new World([jobOf([{ ...byTier, when: expression('jm: tier') }])], { lookups: targets(new Target()) });
    const results = { writes: [[]], filtered: () => {}, rejected: () => {} };
    const event = eventOf({ after: { id: 1 } });
    expect(world.transformer.transform([event], results, new AbortController().signal)).toBeUndefined();
  });

  it('ends with the reason of the signal, and writes nothing', async () => {
    const stop = new AbortController();
    const waits: LookupReader = {
      read: (_commands, signal) =>
        new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
    };
    const world = new World([jobOf([byTier])], { lookups: targets(waits), signal: stop.signal });
    const done = world.run([eventOf({ after: { id: 1, tier: 'a' } })]);
    stop.abort(new Error('stopping'));
    await expect(done).rejects.toThrow('stopping');
    await expect(world.run([eventOf({ after: { id: 1, tier: 'a' } })])).rejects.toThrow('stopping');
  });

  it('takes a reader that answers too little for a bug', async () => {
    const silent: LookupReader = { read: async () => [] };
    const world = new World([jobOf([byTier])], { lookups: targets(silent) });
    await expect(world.run([eventOf({ after: { id: 1, tier: 'a' } })])).rejects.toThrow('got 0 replies');
    expect(() => new World([jobOf([{ ...byTier, connection: 'nowhere' }])])).toThrow('nowhere');
  });
});

describe('lookup_cache', () => {
  it('remembers replies by their arguments, nil too, up to its size and time; never errors', async () => {
    testClock.at = 0;
    let answer: LookupReply = 'old';
    const target = new Target(([, key]) => (key === 'bad' ? new LookupError('ERR no') : key === 'nil' ? null : answer));
    const block = lookup('GET', ['jm: k'], 'v', { lookupCache: { maxSize: 2, ttlMs: 100 } });
    const world = new World([jobOf([block])], { lookups: targets(target) });
    const ask = async (...keys: string[]) => {
      const before = target.asked.length;
      const { records } = await world.run(keys.map((k) => eventOf({ after: { id: 1, k } })));
      const values = keys.map((_, i) => JSON.parse(records.get(i) ?? '{}').v);
      return [values, target.asked.slice(before)];
    };
    expect(await ask('a', 'nil', 'bad')).toEqual([
      ['old', null, undefined],
      ['GET a', 'GET nil', 'GET bad'],
    ]);
    answer = 'new';
    expect(await ask('a', 'nil', 'bad')).toEqual([['old', null, undefined], ['GET bad']]);
    expect(await ask('c')).toEqual([['new'], ['GET c']]);
    expect(await ask('nil', 'a')).toEqual([[null, 'new'], ['GET a']]);
    testClock.at = 99;
    expect(await ask('nil')).toEqual([[null], []]);
    testClock.at = 101;
    expect(await ask('nil')).toEqual([[null], ['GET nil']]);
  });

  it('gives a value that later blocks may change without changing it for others', async () => {
    const target = new Target(() => ['n', '0']);
    const cached = lookup('HGETALL', ["jm: 'k'"], 'v', { lookupCache: { maxSize: 2, ttlMs: 100 } });
    const world = new World([jobOf([cached, add({ 'v.n': 'jm: id' })])], { lookups: targets(target) });
    for (const id of [1, 2]) {
      const { records } = await world.run([eventOf({ after: { id } })]);
      expect(records.get(0)).toBe(`{"id":${id},"v":{"n":${id}}}`);
    }
    expect(target.asked).toHaveLength(1);
  });
});

describe('the row before an update', () => {
  const events = [{ before: { id: 1, tier: 'a', g: 1 }, after: { id: 1, tier: 'b', g: 1 } }];
  const block = lookup('GET', ['jm: tier'], 'label');

  it('is looked up where its place depends on the reply', async () => {
    const target = new Target(([, key]) => `label-${key}`);
    const job = jobOf([block, add({ k: 'jm: label' })], { outputs: [output({ key: expression('jm: k') })] });
    const { writes } = await run(job, events, { lookups: targets(target) });
    expect(writes.map(show)).toEqual(['delete label-a', 'json label-b id=1 tier=b g=1 label=label-b k=label-b']);
    expect(target.pipelines).toHaveLength(1);
  });

  it('is not looked up where its place does not, nor a filter on the way', async () => {
    const target = new Target(([, key]) => `label-${key}`);
    const job = jobOf([block, add({ up: 'jm: upper(label)', k: "jm: concat(['t:', tier])" })], {
      outputs: [output({ key: expression('jm: k'), mapping: [{ source: ['up'], alias: ['up'] }] })],
    });
    const { writes } = await run(job, events, { lookups: targets(target) });
    expect(writes.map(show)).toEqual(['delete t:a', 'json t:b up=LABEL-B']);
    expect(target.asked).toEqual(['GET b']);
  });

  it('is looked up where a filter reads the reply', async () => {
    const target = new Target(([, key]) => (key === 'a' ? null : 'x'));
    const job = jobOf([block, filter('jm: label')], {
      outputs: [output({ key: expression("jm: concat(['t:', tier])") })],
    });
    const { writes } = await run(job, events, { lookups: targets(target) });
    expect(writes.map(show)).toEqual(['json t:b id=1 tier=b g=1 label=x']);
  });

  it('leaves the target when it alone passed a filter behind the lookup', async () => {
    const target = new Target(([, key]) => (key === 'a' ? 'x' : null));
    const job = jobOf([block, filter('jm: label')], { filterRemoves: true });
    const { writes } = await run(job, events, { lookups: targets(target) });
    expect(writes.map(show)).toEqual(['delete customer:id:1']);
  });
});
