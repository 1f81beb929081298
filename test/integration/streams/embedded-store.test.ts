import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { systemClock } from '../../../src/lib/clock.ts';
import { EmbeddedStore } from '../../../src/streams/index.ts';
import { bulkStrings } from '../../helpers/bulk-strings.ts';
import { tempFolder } from '../../helpers/temp-folder.ts';
import { describeStreamStore } from './conformance.ts';

const run = promisify(execFile);

function open(folder: string, tailBytes = 1 << 20): Promise<EmbeddedStore> {
  return EmbeddedStore.open({
    folder,
    clock: systemClock,
    diskLimitBytes: 2 ** 30,
    tailBytes,
    segmentBytes: 1 << 20,
    onNotice: () => {},
  });
}

describeStreamStore('embedded store', () => {
  const folder = tempFolder();
  return { open: () => open(folder) };
});

describeStreamStore('embedded store that keeps nothing in memory', () => {
  const folder = tempFolder();
  return { open: () => open(folder, 0) };
});

const HOLDER = `
  import { EmbeddedStore } from ${JSON.stringify(new URL('../../../src/streams/index.ts', import.meta.url).href)};
  const clock = { now: Date.now, elapsed: () => 0 };
  const store = await EmbeddedStore.open({
    folder: process.argv[1], clock, diskLimitBytes: 1e9, tailBytes: 1e6, onNotice() {},
  });
  console.log('open');
  process.stdin.on('end', () => store.close().then(() => process.exit(0)));
  process.stdin.resume();
`;

test('a second process on the same folder is refused while the first one lives, however that one ends', async () => {
  const folder = tempFolder();
  for (const end of ['close', 'kill'] as const) {
    const holder = spawn(process.execPath, ['--input-type=module', '-e', HOLDER, folder], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    try {
      const [first] = await once(holder.stdout, 'data');
      expect(String(first)).toContain('open');
      await expect(open(folder)).rejects.toMatchObject({
        code: 'STORE_LOCKED',
        message: expect.stringContaining(folder),
        fix: expect.stringContaining('--data-dir'),
      });
    } finally {
      const ended = once(holder, 'exit');
      if (end === 'close') holder.stdin.end();
      else holder.kill('SIGKILL');
      await ended;
    }
    const store = await open(folder);
    await store.close();
  }
});

test('a second store in the same process is refused, and the first one goes on', async () => {
  const folder = tempFolder();
  const store = await open(folder);
  await expect(open(folder)).rejects.toMatchObject({ code: 'STORE_LOCKED' });
  const bytes = bulkStrings('a', 'b');
  store.append(store.stream(0, 's'), 0, false, bytes, 0, bytes.length, 2);
  await store.flush();
  expect(store.durable).toBeGreaterThan(0);
  await store.close();
});

test('a backlog much larger than the memory for it leaves the memory flat, while it grows and while it is read', async () => {
  const folder = tempFolder();
  const { bavail, bsize } = statfsSync(folder);
  expect(bavail * bsize, 'free space for this test').toBeGreaterThan(1 << 30);
  const script = join(import.meta.dirname, 'backlog-process.ts');
  const { stdout } = await run(process.execPath, [script, folder, '300'], { timeout: 50_000 });
  const { rss, appended, read, bytes } = JSON.parse(stdout) as {
    rss: [number, number, number, number];
    appended: number;
    read: number;
    bytes: number;
  };
  expect([appended, read]).toEqual([330 * 900, 330 * 900]);
  expect(bytes).toBeGreaterThan(320 << 20);
  expect(rss[1] - rss[0], `MiB while it grew: ${rss}`).toBeLessThan(100);
  // Reading makes garbage, but no more of it the more there is to read.
  expect(rss[3] - rss[2], `MiB while it was read: ${rss}`).toBeLessThan(100);
  rmSync(folder, { recursive: true });
});

test('a folder that cannot be made, or is none, is named', async () => {
  const folder = tempFolder();
  mkdirSync(join(folder, 'state.db'), { recursive: true });
  await expect(open(folder)).rejects.toMatchObject({ code: 'STORE_FAILED' });
  const file = join(folder, 'file');
  writeFileSync(file, '');
  await expect(open(join(file, 'data'))).rejects.toMatchObject({
    code: 'STORE_FAILED',
    message: expect.stringContaining(join(file, 'data')),
  });
});
