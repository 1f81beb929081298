import { expect, test } from 'vitest';
import { ReplyQueue } from '../../../src/sink/reply-queue.ts';
import { OOM } from '../../../src/sink/resp-text.ts';

const take = (queue: ReplyQueue, durable: number, synced = 0) => queue.take({ durable, synced }).text;

test('a reply leaves when its entry is durable, and none overtakes another', () => {
  const queue = new ReplyQueue();
  queue.pushReady('+A\r\n');
  queue.startTurn();
  queue.pushAppend('$1\r\n1\r\n', 100);
  queue.pushAppend('$1\r\n2\r\n', 200);
  queue.pushReady('+B\r\n');
  queue.startTurn();
  queue.pushAppend('$1\r\n3\r\n', 300);
  queue.pushAfterChange(':1\r\n', 300, 7);
  expect(take(queue, 100)).toBe('+A\r\n');
  expect(take(queue, 200), 'a position is durable when the mark is beyond it').toBe('');
  expect(take(queue, 201)).toBe('$1\r\n1\r\n$1\r\n2\r\n+B\r\n');
  expect(take(queue, 301, 6)).toBe('$1\r\n3\r\n');
  expect(take(queue, 301, 6)).toBe('');
  expect(take(queue, 301, 7)).toBe(':1\r\n');
  expect(queue.isEmpty).toBe(true);
});

test('entries that were taken back are answered with OOM, those before them are not, and other replies stay', () => {
  const queue = new ReplyQueue();
  queue.pushAppend('$1\r\n1\r\n', 100);
  queue.startTurn();
  queue.pushAppend('$1\r\n2\r\n', 200);
  queue.pushAppend('$1\r\n3\r\n', 300);
  queue.pushReady('+PONG\r\n');
  queue.pushAfterChange(':1\r\n', 300, 1);
  expect(queue.takeBack(200)).toBe(true);
  expect(take(queue, 150, 0)).toBe(`$1\r\n1\r\n${OOM}${OOM}+PONG\r\n`);
  expect(take(queue, 150, 1)).toBe(':1\r\n');
  expect(queue.takeBack(0)).toBe(false);
});

test('paced replies leave one by one', () => {
  const queue = new ReplyQueue();
  for (const id of ['1-0', '22-0', '333-0']) queue.pushAppend(`$${id.length}\r\n${id}\r\n`, 100);
  queue.pushReady(OOM);
  const one = (durable = 101) => queue.takeOne({ durable, synced: 0 }).text;
  expect(one(50)).toBe('');
  expect([one(), one(), one(), one(), one()]).toEqual(['$3\r\n1-0\r\n', '$4\r\n22-0\r\n', '$5\r\n333-0\r\n', OOM, '']);
});

test('a long reply keeps its place', () => {
  const queue = new ReplyQueue();
  const pieces = (async function* () {
    yield 'x';
  })();
  queue.pushReady('+A\r\n');
  queue.pushPieces(pieces);
  queue.pushReady('+B\r\n');
  expect(queue.take({ durable: 0, synced: 0 })).toEqual({ text: '+A\r\n', pieces });
  expect(queue.take({ durable: 0, synced: 0 })).toEqual({ text: '+B\r\n', pieces: null });
});
