import { chmodSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { systemClock } from '../../../src/lib/clock.ts';
import { EmbeddedStore } from '../../../src/streams/index.ts';
import { tempFolder } from '../../helpers/temp-folder.ts';

it('nobody else can read the files of a data folder, also where the folder itself is open', async () => {
  const folder = tempFolder();
  chmodSync(folder, 0o755);
  const store = await EmbeddedStore.open({
    folder,
    clock: systemClock,
    diskLimitBytes: 1 << 30,
    tailBytes: 1 << 20,
    onNotice: () => {},
  });
  try {
    const names = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    const open = names.filter(({ parentPath, name }) => (statSync(join(parentPath, name)).mode & 0o077) !== 0);
    expect(names.map(({ name }) => name)).toContain('state.db');
    expect(open.map(({ name }) => name)).toEqual([]);
  } finally {
    await store.close();
  }
});
