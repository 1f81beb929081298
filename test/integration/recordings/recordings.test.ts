/**
 * Every recorded set, sent byte for byte through the real endpoint of a real rdi process: afterwards the target must
 * equal the source's rows, every column, and nothing else may be there.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { replayFile } from '../../../src/replay/index.ts';
import { compareKeyspace } from '../../helpers/compare-keyspace.ts';
import { type Rdi, startRdi, unbalanced } from '../../helpers/rdi-process.ts';
import { expectedKeyspace, RECORDINGS, type Recording, recordedEntries } from '../../helpers/recordings.ts';
import { startTargetRedis, type TargetRedis } from '../../helpers/target-redis.ts';

/** Sets that are also written as JSON documents: each wire mode and each database once. */
const AS_JSON = ['pg-3.6-extended', 'pg-3.6-extended-schemas', 'my-3.6-extended', 'my-3.6-extended-schemas'];

interface World {
  readonly rdi: Rdi;
  readonly target: TargetRedis;
}

async function inWorld(kind: 'hash' | 'json', use: (world: World) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'rdi-recording-'));
  const target = await startTargetRedis({ json: kind === 'json' });
  let rdi: Rdi | undefined;
  try {
    rdi =
      kind === 'hash' ? await startRdi({ folder, target: target.url }) : await startJsonRdi(folder, target.server.port);
    await use({ rdi, target });
  } finally {
    await rdi?.end('SIGTERM');
    await target.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

function startJsonRdi(folder: string, port: number): Promise<Rdi> {
  const config = {
    targets: { target: { connection: { type: 'redis', host: '127.0.0.1', port } } },
    processors: { target_data_type: 'json' },
  };
  writeFileSync(join(folder, 'config.yaml'), JSON.stringify(config));
  return startRdi({ folder, args: ['--dir', folder] });
}

/** All connections of the recording at once, as the feeder had them. */
async function replay({ files }: Recording, port: number): Promise<number> {
  const results = await Promise.all(files.map((file) => replayFile({ file, to: { host: '127.0.0.1', port } })));
  expect(results.map(({ lost }) => lost)).toEqual(results.map(() => 0));
  return results.reduce((sum, { events }) => sum + events, 0);
}

function countByStream(recording: Recording): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { stream } of recordedEntries(recording.name)) counts.set(stream, (counts.get(stream) ?? 0) + 1);
  return counts;
}

describe.each(RECORDINGS)('the recording $name', (recording) => {
  test('leaves exactly the rows of the source as hashes', { timeout: 120_000 }, () =>
    inWorld('hash', async ({ rdi, target }) => {
      await replay(recording, rdi.port);
      const sent = countByStream(recording);
      const total = [...sent.values()].reduce((sum, count) => sum + count, 0);
      const status = await rdi.settled(({ totals }) => totals.received === total, 90_000);

      expect(await compareKeyspace(target.client, expectedKeyspace(recording, 'hash'), 'hash')).toEqual([]);
      expect(unbalanced(status)).toEqual([]);
      expect(new Map(status.streams.map(({ name, received }) => [name, received]))).toEqual(sent);
      const rejected = new Map(status.streams.filter((s) => s.rejected > 0).map((s) => [s.name, s.rejected]));
      expect(rejected).toEqual(new Map(recording.rejectedStreams.map((name) => [name, sent.get(name)])));
      expect(status.dlqs.map(({ stream, count }) => [stream, count])).toEqual([...rejected]);
    }),
  );

  if (!AS_JSON.includes(recording.name)) return;
  test('leaves exactly the rows of the source as JSON documents', { timeout: 120_000 }, () =>
    inWorld('json', async ({ rdi, target }) => {
      await replay(recording, rdi.port);
      const total = recordedEntries(recording.name).length;
      const status = await rdi.settled(({ totals }) => totals.received === total, 90_000);
      expect(await compareKeyspace(target.client, expectedKeyspace(recording, 'json'), 'json')).toEqual([]);
      expect(unbalanced(status)).toEqual([]);
    }),
  );
});
