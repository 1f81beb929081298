import fs from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, test, vi } from 'vitest';
import { tempFolder } from '../../helpers/temp-folder.ts';

const disk = vi.hoisted(() => ({ fails: false, flushes: 0 }));

vi.mock('node:fs', async (importOriginal) => {
  const original = (await importOriginal<{ default: typeof fs }>()).default;
  const fdatasync = (fd: number, done: (error: Error | null) => void) => {
    disk.flushes++;
    if (disk.fails) done(Object.assign(new Error('EIO: i/o error, fdatasync'), { code: 'EIO' }));
    else original.fdatasync(fd, done);
  };
  return { ...original, default: { ...original, fdatasync } };
});

const { StateStore } = await import('../../../src/streams/state-store.ts');

/** Positions that the database file holds by itself: what is left when the write-ahead log is not. */
function positionsWithoutLog(folder: string): unknown[] {
  const copy = join(tempFolder(), 'state.db');
  fs.copyFileSync(join(folder, 'state.db'), copy);
  const database = new DatabaseSync(copy);
  try {
    return database.prepare('SELECT position FROM checkpoint').all();
  } catch {
    return [];
  } finally {
    database.close();
  }
}

test('after a failed flush nothing counts as durable because the next flush of the same pages succeeds', async () => {
  const folder = tempFolder();
  const state = new StateStore(folder);
  state.transaction(() => state.prepare('INSERT INTO checkpoint (id, position, durable) VALUES (1, 4711, 4711)').run());
  disk.fails = true;
  await expect(state.sync()).rejects.toMatchObject({ code: 'STORE_FAILED', retryable: true });
  expect(state.synced).toBeLessThan(state.changed);
  expect(positionsWithoutLog(folder)).toEqual([]);
  disk.fails = false;
  await state.sync();
  expect(state.synced).toBe(state.changed);
  expect(positionsWithoutLog(folder)).toEqual([{ position: 4711 }]);
  disk.flushes = 0;
  state.transaction(() => state.prepare('UPDATE checkpoint SET position = 4712').run());
  await state.sync();
  expect(disk.flushes).toBe(1);
  state.close();
});
