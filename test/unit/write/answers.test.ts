import { describe, expect, it } from 'vitest';
import { describeReply, judge, refusalsOf, type Verdict, worse } from '../../../src/write/answers.ts';
import { Unit } from '../../../src/write/fold.ts';
import type { TargetWrite } from '../../../src/write/types.ts';
import { hash, json } from '../../helpers/target-writes.ts';

const JUDGED: Record<Verdict, string[]> = {
  retry: [
    'LOADING Redis is loading the dataset in memory',
    'BUSY Redis is busy running a script',
    'CLUSTERDOWN Hash slot not served',
    'TRYAGAIN x',
    'MASTERDOWN x',
    "OOM command not allowed when used memory > 'maxmemory'.",
    'NOREPLICAS Not enough good replicas to write.',
    'MISCONF x',
    'UNBLOCKED x',
    'NOTREADY x',
    'IOERR x',
    'MOVED 1 127.0.0.1:1',
    'ASK 1 127.0.0.1:1',
    'ERR max number of clients reached',
    "ERR Error running script (call to f_1): @user_script:1: @user_script: 1: -OOM command not allowed when used memory > 'maxmemory'.",
    "OOM command not allowed when used memory > 'maxmemory'. script: 0123456789012345678901234567890123456789, on @user_script:1.",
  ],
  reconnect: ["READONLY You can't write against a read only replica."],
  login: [
    'NOAUTH Authentication required.',
    'NOPERM this user has no permissions',
    'WRONGPASS invalid username-password pair',
    'DENIED Redis is running in protected mode',
    'ERR operation not permitted',
    "ERR unknown command 'HSET', with args beginning with: 'a' ",
    'ERR unknown command `DEL`, with args beginning with: `a`, ',
  ],
  'no-json': [
    "ERR unknown command 'JSON.SET', with args beginning with: 'a'",
    'ERR Unknown Redis command called from script',
  ],
  'no-merge': ["ERR unknown command 'JSON.MERGE', with args beginning with: 'a'"],
  refuse: [
    'WRONGTYPE Operation against a key holding the wrong kind of value',
    'Existing key has wrong Redis type',
    'ERR new objects must be created at the root',
    'ERR value is not an integer',
    'key must be a string at line 1 column 2',
    "Error occurred on position 2, '$['",
    'ERR Protocol error: invalid bulk length',
  ],
};

for (const [verdict, texts] of Object.entries(JUDGED)) {
  describe(`the verdict ${verdict}`, () => {
    for (const text of texts) {
      it(`is given to: ${text.slice(0, 60)}`, () => {
        expect(judge(text)).toBe(verdict);
      });
    }
  });
}

it('lets what must be repeated win over what is refused', () => {
  expect(worse('refuse', 'retry')).toBe('retry');
  expect(worse('reconnect', 'retry')).toBe('reconnect');
});

it('refuses every entry folded into a write', () => {
  const unit = new Unit(hash('k', { a: 1 }, 3), null, 0);
  unit.fold(hash('k', { a: 2 }, 5));
  expect(refusalsOf(unit, 'WRONGTYPE Operation against').map((refusal) => refusal.index)).toEqual([3, 5]);
});

it('names the output that asked for a write', () => {
  const origin = { job: 'orders', step: 'output[1] redis.write' };
  const unit = new Unit({ ...hash('k', { a: 1 }, 3), origin } as TargetWrite, null, 0);
  unit.fold(hash('k', { a: 2 }, 5));
  const [first, second] = refusalsOf(unit, 'WRONGTYPE Operation against');
  expect(first).toMatchObject({ index: 3, origin });
  expect(second).not.toHaveProperty('origin');
});

it('says what to look at when a place in a document cannot be reached', () => {
  for (const text of [
    'ERR new objects must be created at the root',
    "ERR could not perform this operation on a key that doesn't exist",
    "ERR Path '$.a.b' does not exist",
    'ERR wrong type of path value - expected object but found string',
  ]) {
    const [refused] = refusalsOf(new Unit(json('k', { a: 1 }, 'merge'), null, 0), text);
    expect(refused).toMatchObject({
      code: 'TARGET_REFUSED',
      reason: expect.stringMatching(/^JSON.MERGE on "k" was .*look at the key/),
    });
  }
});

it('says what, where and how to fix, and repeats no values', () => {
  const [wrongType] = refusalsOf(new Unit(json('order:17', { a: 1 }), null, 0), 'Existing key has wrong Redis type');
  expect(wrongType).toEqual({
    index: 0,
    key: 'order:17',
    code: 'TARGET_WRONG_TYPE',
    reason:
      'JSON.SET on "order:17" found a key that is not a JSON document (Existing key has wrong Redis type). ' +
      'Delete the key, or set another key prefix.',
  });
  const [refused] = refusalsOf(new Unit(hash('k', { a: 1 }), null, 0), "ERR no, with args beginning with: 'private'");
  expect(refused).toMatchObject({
    code: 'TARGET_REFUSED',
    reason: expect.stringMatching(/^HSET on "k" was refused \(ERR no\)/),
  });
  expect(describeReply(`x\n${'y'.repeat(500)}`)).toHaveLength(201);
});
