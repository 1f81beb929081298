import { describe, expect, it } from 'vitest';
import { accountingLine, findProblems, missingEntries, runState } from '../../../src/control/index.ts';
import { engineSnapshot, NOW, SUMS, streamAccount } from '../../helpers/engine-snapshot.ts';

const target = { name: 'target', address: 'redis://127.0.0.1:6379' };

function texts(change: Parameters<typeof engineSnapshot>[0]): string[] {
  return findProblems(engineSnapshot({ dlqs: [], ...change })).map(({ text }) => text);
}

describe('problems', () => {
  it('are none while everything works', () => {
    expect(texts({})).toEqual([]);
  });

  it('say since when and why a target cannot be reached, and that nothing is lost', () => {
    const waiting = { state: 'waiting', code: 'TARGET_UNAVAILABLE', message: 'ECONNREFUSED', attempts: 3 } as const;
    expect(texts({ targets: [{ ...target, state: { ...waiting, since: NOW - 12_000 } }] })).toEqual([
      'Target target (redis://127.0.0.1:6379) cannot take writes since 12 s, 3 attempts: ECONNREFUSED. Nothing is lost.',
    ]);
  });

  it('tell a refused user from an unreachable target', () => {
    const refused = { state: 'refused', code: 'TARGET_AUTH', message: 'NOAUTH', attempts: 1, since: NOW } as const;
    expect(texts({ targets: [{ ...target, state: refused }] })[0]).toContain('refuses our user');
  });

  it('do not call the first seconds of connecting a problem', () => {
    const targets = [{ ...target, state: { state: 'connecting' } as const }];
    expect(texts({ targets, startedAt: NOW - 1000 })).toEqual([]);
    expect(texts({ targets, startedAt: NOW - 5000 })[0]).toContain('does not answer yet, after 5 s');
  });

  it('name the command for a pipeline that is missing, stopped, without a target or waiting for its feeder', () => {
    const { pipeline } = engineSnapshot();
    const told = (change: Partial<typeof pipeline>, targets?: []) =>
      texts({ pipeline: { ...pipeline, ...change }, ...(targets === undefined ? {} : { targets }) })[0];
    expect(told({ isDeployed: false })).toContain('10 entries wait meanwhile. Deploy one: rdi deploy --dir FOLDER.');
    expect(told({ isActive: false })).toContain('Let it go on: rdi start.');
    expect(told({ state: 'started' }, [])).toContain('has no target');
    expect(told({ awaitsFeederRestart: true })).toContain('restart every Debezium Server');
    expect(told({ failure: 'Revision 3 cannot run: a.yaml: no' })).toBe('Revision 3 cannot run: a.yaml: no.');
  });

  it('name the command that lets a stopped stream go on', () => {
    const stopped = { reason: 'The record has no primary key', entryId: '17-0', since: NOW - 1000 };
    expect(texts({ streams: [streamAccount({ stopped })] })).toEqual([
      "Stream data:{rdi}:shop.orders stands at entry 17-0 since 1 s: The record has no primary key. When it is fixed: rdi resume 'data:{rdi}:shop.orders'.",
    ]);
  });

  it('come errors first', () => {
    const problems = findProblems(
      engineSnapshot({ streams: [streamAccount({ stopped: { reason: 'x', entryId: '1-0', since: NOW } })] }),
    );
    expect(problems.map(({ severity }) => severity)).toEqual(['error', 'warning']);
  });

  it.each([
    ['failed', 'failed. fsync: EIO.'],
    ['full', 'is full (3 MB of 20 GB). fsync: EIO. Feeders are held back'],
    ['recovering', 'is recovering'],
  ] as const)('report a store that is %s', (state, words) => {
    const { store } = engineSnapshot();
    expect(texts({ store: { ...store, state, message: 'fsync: EIO' } })[0]).toContain(words);
  });

  it('explain why feeders are held back', () => {
    const { endpoint } = engineSnapshot();
    expect(texts({ endpoint: { ...endpoint, backpressure: 'paced' } })[0]).toMatch(/answered slowly.*10 entries wait/);
  });

  it('point from rejected records to the command that shows them', () => {
    expect(texts({ dlqs: [{ stream: 's', count: 3, evicted: 1 }] })).toEqual([
      "3 rejected records of s are kept, and 1 older one dropped at the limit (dlq_max_messages). See rdi list-dlq-records 's'.",
    ]);
  });

  it('show what the feeder should set', () => {
    const warnings = [{ stream: 's', property: 'p=v', message: 'Decimals arrive as base64. Set p=v' }];
    expect(texts({ warnings })).toEqual(['s: Decimals arrive as base64. Set p=v.']);
  });
});

describe('accounting', () => {
  it('adds up in one line', () => {
    expect(accountingLine(SUMS)).toBe(
      'received 100 = written 70 + filtered 2 + superseded 5 + deduplicated 4 + rejected 1 + skipped 8 + pending 10',
    );
  });

  it('that does not add up is called a bug, in the line and among the problems', () => {
    const broken = { ...SUMS, written: 69 };
    expect(missingEntries(broken)).toBe(1);
    expect(accountingLine(broken)).toContain('≠');
    expect(texts({ streams: [streamAccount(broken)] })[0]).toContain('off by 1. This is a bug');
  });
});

describe('run state', () => {
  it.each([
    ['RUNNING', {}],
    ['IDLING', { totals: { ...SUMS, written: 80, pending: 0 } }],
    ['STARTED', { totals: { ...SUMS, received: 0 } }],
    ['STOPPED', { endpoint: { ...engineSnapshot().endpoint, listening: false } }],
    ['STOPPED', { pipeline: { ...engineSnapshot().pipeline, isActive: false } }],
    ['ERROR', { pipeline: { ...engineSnapshot().pipeline, isDeployed: false } }],
    ['ERROR', { pipeline: { ...engineSnapshot().pipeline, failure: 'x' } }],
    ['ERROR', { store: { ...engineSnapshot().store, state: 'failed' as const } }],
    ['ERROR', { streams: [streamAccount({ stopped: { reason: 'x', entryId: '1-0', since: 1 } })] }],
  ])('is %s for %j', (state, change) => {
    expect(runState(engineSnapshot(change))).toBe(state);
  });
});
