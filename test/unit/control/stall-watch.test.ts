import { beforeEach, describe, expect, it } from 'vitest';
import { findProblems } from '../../../src/control/index.ts';
import { StallWatch } from '../../../src/control/stall-watch.ts';
import type { StreamAccount, TargetStatus } from '../../../src/control/types.ts';
import type { BatchReport } from '../../../src/pipeline.ts';
import { engineSnapshot, NOW, streamAccount } from '../../helpers/engine-snapshot.ts';

const ready: TargetStatus = { name: 'target', state: { state: 'ready' }, address: 'redis://127.0.0.1:6379' };
const away: TargetStatus = {
  ...ready,
  state: { state: 'waiting', code: 'TARGET_UNAVAILABLE', message: 'away', since: NOW, attempts: 3 },
};
const lanes = { laneOf: ({ table }: { table: string }) => (table === 'copies' ? 'writes other' : 'main') };

let now: number;
let watch: StallWatch;

beforeEach(() => {
  now = NOW;
  watch = new StallWatch(() => now);
});

function waiting(change: Partial<StreamAccount> = {}): StreamAccount {
  return streamAccount({ name: 'data:shop.orders', ...change });
}

/** A settled batch of this stream, the last entry of which arrived then. */
function settle(table: string, arrivedMs: number): void {
  const entry = { stream: { name: `data:shop.${table}`, db: 0 }, ms: arrivedMs };
  watch.add({ passage: { entries: [entry] }, lastEvent: { table: { table } } } as unknown as BatchReport, lanes);
}

function find(streams = [waiting()], targets = [ready], canWork = true): string[] {
  return watch.find(streams, targets, canWork).map(({ name }) => name);
}

function pass(seconds: number): void {
  now += seconds * 1000;
}

describe('a stalled stream', () => {
  it('is one of which nothing is settled for a minute, although entries wait and the target takes writes', () => {
    expect(find()).toEqual([]);
    pass(59);
    expect(find()).toEqual([]);
    pass(1);
    expect(watch.find([waiting()], [ready], true)).toEqual([{ name: 'data:shop.orders', db: 0, since: NOW }]);
  });

  it('is none any more as soon as something of it is settled', () => {
    find();
    pass(70);
    expect(find([waiting({ pending: 9 })])).toEqual([]);
    pass(70);
    expect(find([waiting({ pending: 9 })])).toEqual(['data:shop.orders']);
    expect(find([waiting({ pending: 0 })])).toEqual([]);
  });

  it('is not one that only gets more', () => {
    find();
    pass(70);
    expect(find([waiting({ received: 120, pending: 30 })])).toEqual(['data:shop.orders']);
  });

  it.each([
    ['its target is away', [waiting()], [away], true],
    [
      'it stands at a rejected record',
      [waiting({ stopped: { reason: 'r', entryId: '1-0', since: NOW } })],
      [ready],
      true,
    ],
    ['the pipeline is stopped', [waiting()], [ready], false],
  ] as const)(
    'is not one that waits because %s, and its minute begins when that ends',
    (_why, streams, targets, canWork) => {
      find();
      pass(70);
      expect(find([...streams], [...targets], canWork)).toEqual([]);
      expect(find()).toEqual([]);
      pass(60);
      expect(find()).toEqual(['data:shop.orders']);
    },
  );

  it('is not one behind a backlog that its lane works off', () => {
    settle('orders', NOW - 1000);
    find();
    pass(70);
    settle('items', NOW - 500);
    expect(find()).toEqual([]);
    pass(70);
    settle('items', NOW - 400);
    expect(find()).toEqual([]);
  });

  it('is one that its lane has passed by', () => {
    settle('orders', NOW - 1000);
    find();
    pass(70);
    settle('items', NOW + 60_000);
    expect(find()).toEqual(['data:shop.orders']);
  });

  it('is one whose lane stands, whatever other lanes do', () => {
    settle('orders', NOW - 1000);
    find();
    pass(70);
    settle('copies', NOW - 900);
    expect(find()).toEqual(['data:shop.orders']);
  });

  it('of the main lane is found also while a target is away that it does not need', () => {
    settle('orders', NOW - 1000);
    const targets = [ready, { ...away, name: 'other' }];
    find([waiting()], targets);
    pass(70);
    expect(find([waiting()], targets)).toEqual(['data:shop.orders']);
  });

  it('is told as an error, with what to do', () => {
    const stalled = [{ name: 'data:shop.orders', db: 0, since: NOW - 90_000 }];
    const [problem] = findProblems(engineSnapshot({ stalled }));
    expect(problem?.severity).toBe('error');
    expect(problem?.text).toMatch(
      /^Nothing of stream data:shop\.orders was settled for 1 min 30 s, .*dump-support-package/,
    );
  });
});
