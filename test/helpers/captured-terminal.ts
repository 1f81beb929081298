import type { Terminal } from '../../src/cli/index.ts';

/** A terminal that keeps what is printed, and has an environment of its own. */
export interface CapturedTerminal extends Terminal {
  readonly printed: { out: string; err: string };
}

export function capturedTerminal(change: Partial<Terminal> = {}): CapturedTerminal {
  const printed = { out: '', err: '' };
  return {
    printed,
    out: (text) => {
      printed.out += text;
    },
    err: (text) => {
      printed.err += text;
    },
    env: {},
    isScreen: false,
    isErrorScreen: false,
    ...change,
  };
}
