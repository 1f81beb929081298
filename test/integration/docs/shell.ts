/** A terminal with a real bash in it, that takes one block after the other as a person pastes them. */
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface BlockOutcome {
  /** Of the last command that failed; 0 when none did. */
  readonly exitCode: number;
  /** What both streams showed, in order. */
  readonly output: string;
}

export interface Shell {
  /** Runs a block to its end. Folder, variables and background jobs stay for the next one. */
  run(script: string, timeoutMs: number): Promise<BlockOutcome>;
  close(): Promise<void>;
}

const MARK = '__end_of_block__';

/** @param folder where the blocks are kept while they run */
export function openShell(folder: string, options: { cwd: string; env: Readonly<Record<string, string>> }): Shell {
  const bash = spawn('bash', ['--noprofile', '--norc'], { ...options, stdio: ['pipe', 'pipe', 'pipe'] });
  let seen = '';
  let wake = () => {};
  for (const stream of [bash.stdout, bash.stderr]) {
    stream.setEncoding('utf8');
    stream.on('data', (chunk: string) => {
      seen += chunk;
      wake();
    });
  }
  const ended = new Promise<void>((resolve) => bash.once('close', () => resolve()));
  let blocks = 0;
  // A command that fails in the middle of a block would go unnoticed.
  bash.stdin.write("set -E; trap 'failed=$?' ERR\n");

  return {
    run: async (script, timeoutMs) => {
      const file = join(folder, `block-${++blocks}.sh`);
      writeFileSync(file, script);
      seen = '';
      const isOver = Promise.withResolvers<void>();
      wake = () => {
        if (new RegExp(`${MARK} \\d+\\n`).test(seen)) isOver.resolve();
      };
      const timer = setTimeout(() => isOver.reject(new Error(`After ${timeoutMs} ms not over:\n${seen}`)), timeoutMs);
      const endedEarly = ended.then(() => {
        throw new Error(`The shell ended:\n${seen}`);
      });
      // A command that asks for input gets none, instead of the next block.
      bash.stdin.write(`failed=0; . '${file}' </dev/null 2>&1; printf '\\n${MARK} %s\\n' "$failed"\n`);
      try {
        await Promise.race([isOver.promise, endedEarly]);
      } finally {
        clearTimeout(timer);
        endedEarly.catch(() => {});
      }
      const [output = '', exitCode = ''] = seen.split(MARK);
      return { exitCode: Number(exitCode), output };
    },
    close: async () => {
      bash.stdin.end();
      const timer = setTimeout(() => bash.kill('SIGKILL'), 10_000);
      await ended;
      clearTimeout(timer);
    },
  };
}
