import fs from 'node:fs';
import path from 'node:path';
import { ConfigurationStore } from './configuration-store.ts';
import type { StateStore } from './state-store.ts';

/** Tables of what feeders sent and what became of it. Configuration, secrets and connections to targets are not among them. */
const FORGOTTEN = [
  'metadata_hash',
  'metadata_stream',
  'checkpoint',
  'stream_behind',
  'stream_counters',
  'stream_memory',
  'dlq',
  'dlq_evicted',
] as const;

/**
 * Finishes a reset that was asked for: deletes the journal, then everything that speaks of it. To be called before the journal is
 * read. A crash in between leaves the request standing, so that the next start goes on with it.
 */
export async function finishReset(folder: string, state: StateStore): Promise<void> {
  const configuration = new ConfigurationStore(state);
  if (configuration.pipeline.feeder !== 'resetting') return;
  fs.rmSync(path.join(folder, 'journal'), { recursive: true, force: true });
  // A power loss must not bring it back when nobody knows any more how far it was settled.
  syncFolder(folder);
  state.transaction(() => {
    for (const table of FORGOTTEN) state.prepare(`DELETE FROM ${table}`).run();
  });
  await configuration.change({ feeder: 'awaited' });
}

function syncFolder(folder: string): void {
  const fd = fs.openSync(folder, 'r');
  try {
    fs.fsyncSync(fd);
  } finally {
    fs.closeSync(fd);
  }
}
