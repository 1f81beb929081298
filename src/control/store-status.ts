import type { EmbeddedStore } from '../streams/index.ts';
import type { EngineSnapshot } from './types.ts';

/** How the store is. `failure`: why nothing is written any more; `unsaved`: why the checkpoint cannot be stored at the moment. */
export function storeStatus(
  store: EmbeddedStore,
  dataDir: string,
  failure: string | null,
  unsaved: string | null,
): EngineSnapshot['store'] {
  const { bytes, limitBytes, segments, syncs, pressure, awaitsFeeder } = store;
  const facts = { bytes, limitBytes, segments, dataDir, syncs };
  if (failure !== null) return { state: 'failed', message: failure, ...facts };
  if (unsaved !== null) return { state: 'full', message: unsaved, ...facts };
  return pressure === 'none' || awaitsFeeder
    ? { state: 'ready', ...facts }
    : { state: 'full', message: fullMessage(pressure), ...facts };
}

function fullMessage(pressure: 'full' | 'paced' | 'refusing'): string {
  const how = {
    full: 'feeders are told to wait',
    paced: 'feeders are answered slowly',
    refusing: 'feeders are refused, and will send again',
  }[pressure];
  return `The store is nearly full: ${how}. Nothing is lost; it goes on when the target has taken some of the backlog, or with a higher disk_limit`;
}
