import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { startHttp } from '../../../src/http/index.ts';
import { fakeEngine } from '../../helpers/engine-snapshot.ts';

const MAIN = join(import.meta.dirname, '../../../src/main.ts');

/** Starts the program as a user does; it is killed after ten seconds. */
function start(...args: string[]) {
  return spawn(process.execPath, [MAIN, ...args], { stdio: ['ignore', 'pipe', 'pipe'], timeout: 10_000 });
}

describe('the program as a process', () => {
  it('shows status again and again until Ctrl-C, and ends with 130', async () => {
    const server = await startHttp({ host: '127.0.0.1', port: 0, engine: () => fakeEngine(), onError: () => {} });
    try {
      const child = start('status', '--live', '--api-url', `http://${server.address}`);
      let out = '';
      child.stdout.on('data', (chunk) => {
        out += chunk;
        // Once: a second Ctrl-C ends any program at once.
        if (!child.killed && out.split('rdi 0.1.0').length > 2) child.kill('SIGINT');
      });
      expect(await once(child, 'exit')).toEqual([130, null]);
    } finally {
      await server.close();
    }
  });

  it('takes a reader that goes away for no failure', async () => {
    const child = start('--help');
    child.stdout.destroy();
    let err = '';
    child.stderr.on('data', (chunk) => {
      err += chunk;
    });
    expect(await once(child, 'exit')).toEqual([0, null]);
    expect(err).toBe('');
  });
});
