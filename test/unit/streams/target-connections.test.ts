import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, test } from 'vitest';
import { systemClock } from '../../../src/lib/clock.ts';
import { EmbeddedStore } from '../../../src/streams/index.ts';
import { pretendReserve, tempFolder } from '../../helpers/temp-folder.ts';

function open(folder: string): Promise<EmbeddedStore> {
  return EmbeddedStore.open({
    folder,
    clock: systemClock,
    diskLimitBytes: 1 << 30,
    tailBytes: 1 << 20,
    onNotice: () => {},
  });
}

test('the last connection of each target is remembered by itself, over a restart', async () => {
  const folder = tempFolder({ inMemory: true });
  pretendReserve(folder);
  const store = await open(folder);
  store.targetConnections.of('target').remember({ runId: 'a', clientId: '1' });
  store.targetConnections.of('other').remember({ runId: 'b', clientId: '2' });
  store.targetConnections.of('target').remember({ runId: 'a', clientId: '3' });
  await store.close();
  const again = await open(folder);
  expect(again.targetConnections.of('target').read()).toEqual({ runId: 'a', clientId: '3' });
  expect(again.targetConnections.of('other').read()).toEqual({ runId: 'b', clientId: '2' });
  expect(again.targetConnections.of('third').read()).toBeNull();
  await again.close();
});

test('a folder of the time of a single target keeps what it remembered', async () => {
  const folder = join(tempFolder({ inMemory: true }), 'old');
  mkdirSync(folder);
  pretendReserve(folder);
  const old = new DatabaseSync(join(folder, 'state.db'));
  old.exec(`CREATE TABLE target_connection (
    id INTEGER PRIMARY KEY CHECK (id = 1), run_id TEXT NOT NULL, client_id TEXT NOT NULL
  );
  INSERT INTO target_connection VALUES (1, 'a', '7');`);
  old.close();
  for (let start = 0; start < 2; start++) {
    const store = await open(folder);
    expect(store.targetConnections.of('target').read()).toEqual({ runId: 'a', clientId: '7' });
    await store.close();
  }
});

test('after an earlier version had the folder for a while, the connection that it left is the one remembered', async () => {
  const folder = tempFolder({ inMemory: true });
  pretendReserve(folder);
  const store = await open(folder);
  store.targetConnections.of('target').remember({ runId: 'a', clientId: '7' });
  await store.close();
  const earlier = new DatabaseSync(join(folder, 'state.db'));
  earlier.exec(`CREATE TABLE target_connection (
    id INTEGER PRIMARY KEY CHECK (id = 1), run_id TEXT NOT NULL, client_id TEXT NOT NULL
  );
  INSERT INTO target_connection VALUES (1, 'a', '8');`);
  earlier.close();
  const again = await open(folder);
  expect(again.targetConnections.of('target').read()).toEqual({ runId: 'a', clientId: '8' });
  await again.close();
});
