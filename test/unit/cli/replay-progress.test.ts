import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ReplayProgress } from '../../../src/cli/replay-progress.ts';
import { capturedTerminal } from '../../helpers/captured-terminal.ts';

const counts = { commands: 10, events: 500, bytes: 9, refused: 0, resent: 0, reconnects: 0, held: 0, lost: 0 };

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance'] });
});

afterEach(() => {
  vi.useRealTimers();
});

describe('progress of a replay', () => {
  it('is a line every two seconds where there is no screen', () => {
    const terminal = capturedTerminal();
    const progress = new ReplayProgress(terminal, ['a', 'b']);
    for (const ms of [1000, 999, 1, 1999]) {
      vi.advanceTimersByTime(ms);
      progress.update('a', counts, 0.5);
    }
    progress.close();
    expect(terminal.printed.err).toBe('25 %  500 entries  250/s\n');
  });

  it('is a bar that is redrawn and removed on a screen', () => {
    const terminal = capturedTerminal({ isErrorScreen: true });
    const progress = new ReplayProgress(terminal, ['a']);
    vi.advanceTimersByTime(100);
    progress.update('a', counts, 0.5);
    progress.close();
    const bar = `${'█'.repeat(15)}${'░'.repeat(15)}`;
    expect(terminal.printed.err).toBe(`\r\u001b[K${bar}  50 %  500 entries  5000/s\r\u001b[K`);
  });

  it('adds up all files', () => {
    const progress = new ReplayProgress(capturedTerminal(), ['a', 'b']);
    progress.update('a', counts, 1);
    progress.update('b', { ...counts, lost: 2 }, 1);
    expect(progress.sum()).toMatchObject({ events: 1000, commands: 20, lost: 2 });
  });
});
