import { rmSync } from 'node:fs';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { JournalWorld } from '../../helpers/journal-world.ts';
import { tempFolder } from '../../helpers/temp-folder.ts';

const LONG = process.env['RDI_LONG'] !== undefined;
const RUNS = LONG ? 20_000 : 500;
/** On a busy machine fewer cases have to do. */
const LIMIT_MS = LONG ? 3_500_000 : 20_000;
const TIMEOUT_MS = LIMIT_MS + 60_000;

type Step =
  | { readonly do: 'append'; readonly stream: string; readonly sizes: readonly number[] }
  | { readonly do: 'turns'; readonly count: number }
  | { readonly do: 'clock'; readonly by: number }
  | { readonly do: 'trouble'; readonly failures: number }
  | { readonly do: 'settle'; readonly everything: boolean }
  | { readonly do: 'flush' | 'read' | 'look back' | 'mend' | 'restart' | 'kill' | 'power loss' };

const size = fc.oneof(
  { weight: 2, arbitrary: fc.constant(0) },
  { weight: 10, arbitrary: fc.integer({ min: 1, max: 200 }) },
  { weight: 3, arbitrary: fc.integer({ min: 400, max: 2500 }) },
  { weight: 1, arbitrary: fc.integer({ min: 4000, max: 30_000 }) },
);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 10,
    arbitrary: fc.record({
      do: fc.constant('append' as const),
      stream: fc.constantFrom('orders', 'customers', 'größe', 'x'.repeat(300)),
      sizes: fc.array(size, { minLength: 1, maxLength: 6 }),
    }),
  },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('turns' as const), count: fc.integer({ min: 1, max: 6 }) }) },
  { weight: 5, arbitrary: fc.constant({ do: 'read' } as const) },
  { weight: 2, arbitrary: fc.constant({ do: 'look back' } as const) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('settle' as const), everything: fc.boolean() }) },
  { weight: 3, arbitrary: fc.constant({ do: 'flush' } as const) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('clock' as const), by: fc.integer({ min: -5000, max: 5000 }) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('trouble' as const), failures: fc.constantFrom(0.05, 0.3, 1) }) },
  { weight: 3, arbitrary: fc.constant({ do: 'mend' } as const) },
  { weight: 1, arbitrary: fc.constant({ do: 'restart' } as const) },
  { weight: 1, arbitrary: fc.constant({ do: 'kill' } as const) },
  { weight: 2, arbitrary: fc.constant({ do: 'power loss' } as const) },
);
const shape = fc.record({
  seed: fc.integer({ min: 1 }),
  segmentBytes: fc.constantFrom(500, 3000, 100_000),
  blockBytes: fc.constantFrom(1024, 4096, 65_536),
  tailBytes: fc.constantFrom(0, 8192),
  retentionMs: fc.constantFrom(0, 4000, 1e12),
});

type Case = [
  steps: Step[],
  shape: { seed: number; segmentBytes: number; blockBytes: number; tailBytes: number; retentionMs?: number },
];

/** Cases that failed once. */
const KEPT: Case[] = [
  // A segment that was taken back stayed when the one before it was removed.
  [
    [
      { do: 'append', stream: 'orders', sizes: [1049, 1343, 5] },
      { do: 'trouble', failures: 0.05 },
      { do: 'append', stream: 'orders', sizes: [183, 6372, 77] },
      { do: 'turns', count: 6 },
      { do: 'append', stream: 'orders', sizes: [78, 0] },
      { do: 'power loss' },
      { do: 'flush' },
      { do: 'append', stream: 'orders', sizes: [0] },
      { do: 'turns', count: 1 },
      { do: 'mend' },
      { do: 'restart' },
    ],
    { seed: 851_868_209, segmentBytes: 500, blockBytes: 1024, tailBytes: 0 },
  ],
  // What a failed sync left in the kernel's memory was taken for durable by the next process.
  [
    [
      { do: 'trouble', failures: 0.3 },
      { do: 'append', stream: 'orders', sizes: [7644] },
      { do: 'flush' },
      { do: 'kill' },
      { do: 'append', stream: 'orders', sizes: [1] },
      { do: 'append', stream: 'orders', sizes: [1] },
      { do: 'append', stream: 'orders', sizes: [400] },
    ],
    { seed: 7, segmentBytes: 500, blockBytes: 1024, tailBytes: 0 },
  ],
];

const folder = tempFolder({ inMemory: true });
let count = 0;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
});
afterEach(() => {
  vi.useRealTimers();
});

test(
  'whatever crashes and whatever the disk refuses: what was acknowledged is read back once, in order, until it is settled',
  async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 60 }), shape, async (steps, options) => {
        await play(steps, options);
      }),
      { numRuns: RUNS, examples: KEPT, interruptAfterTimeLimit: LIMIT_MS, ...(LONG ? {} : { seed: 20_250_301 }) },
    );
  },
  TIMEOUT_MS,
);

async function play(steps: readonly Step[], options: Case[1]): Promise<void> {
  const world = new JournalWorld({ folder: `${folder}/${++count}`, ...options });
  await world.open();
  try {
    for (const one of steps) await take(world, one);
    await take(world, { do: 'mend' });
    await take(world, { do: 'power loss' });
    while (await world.read());
    await world.settle(true);
    await take(world, { do: 'restart' });
    expect(world.unsettled).toHaveLength(0);
  } finally {
    world.disk.isDead = true;
    rmSync(`${folder}/${count}`, { recursive: true, force: true });
  }
}

async function take(world: JournalWorld, step: Step): Promise<void> {
  switch (step.do) {
    case 'append':
      for (const one of step.sizes) world.append(step.stream, one);
      return;
    case 'turns':
      return world.turns(step.count);
    case 'clock':
      world.now += step.by;
      return;
    case 'trouble':
      world.disk.failures = step.failures;
      return;
    case 'settle':
      return world.settle(step.everything);
    case 'flush':
      return world.flush();
    case 'read':
      await world.read();
      return;
    case 'look back':
      return world.checkHistory();
    case 'mend':
      world.disk.failures = 0;
      await world.flush();
      await vi.advanceTimersByTimeAsync(20_000);
      await world.flush();
      return;
    case 'restart':
      world.disk.failures = 0;
      await world.close();
      return world.reopen();
    case 'kill':
    case 'power loss':
      await world.crash(step.do === 'kill' ? 'kill' : 'power');
      return world.reopen();
  }
}
