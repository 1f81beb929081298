import { createServer } from 'node:net';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Process } from '../../helpers/processes.ts';
import { tempFolder } from '../../helpers/temp-folder.ts';

const MAIN = join(import.meta.dirname, '../../../src/main.ts');

test('a start whose port another program uses says so and ends, instead of running on', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as { port: number };
  const folder = tempFolder();
  const args = ['run', '--target', 'redis://127.0.0.1:1', '--listen', `127.0.0.1:${port}`, '--http', 'off'];
  const rdi = new Process(process.execPath, [MAIN, ...args, '--data-dir', join(folder, 'data')], {
    logFile: join(folder, 'rdi.log'),
  });
  const timer = setTimeout(() => void rdi.end('SIGKILL'), 45_000);
  const code = await rdi.exited;
  clearTimeout(timer);
  server.close();
  expect(rdi.log()).toContain(`cannot listen on 127.0.0.1:${port}: another program uses it`);
  expect(code).toBe(2);
});
