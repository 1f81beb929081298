import { existsSync, mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';

const made: string[] = [];

/** A new folder that is removed when the test file ends; in memory where the machine has a file system for that. */
export function tempFolder(options: { inMemory?: boolean } = {}): string {
  const parent = options.inMemory && existsSync('/dev/shm') ? '/dev/shm' : tmpdir();
  const folder = mkdtempSync(join(parent, 'rdi-test-'));
  made.push(folder);
  return folder;
}

/** A reserve that takes no room, for a store in this folder: to fill a real one takes longer than most tests. */
export function pretendReserve(folder: string): void {
  mkdirSync(folder, { recursive: true });
  const file = join(folder, 'reserve');
  if (!existsSync(file)) writeFileSync(file, '');
  truncateSync(file, 4 << 20);
}

afterAll(() => {
  for (const folder of made.splice(0)) rmSync(folder, { recursive: true, force: true });
});
