import { ConfigError } from '../errors.ts';
import type { EmbeddedStore } from '../streams/index.ts';
import { type JobDefinition, keyPrefixes } from '../transform/index.ts';
import type { TableIdentity } from '../types.ts';
import { removeKeys } from '../write/index.ts';
import type { RunningPipeline, TableReset } from './operations.ts';
import { StreamMemory } from './stream-memory.ts';

/**
 * Forgets the DLQ of a stream, and on request removes what its table has in the targets. What waits to be written stays: it would
 * be missing until the table is read again. Null when there is no such stream. Throws ConfigError when the keys of the table
 * cannot be told from those of others; then nothing is changed.
 */
export async function resetTable(
  store: EmbeddedStore,
  running: RunningPipeline | null,
  streamName: string,
  {
    flushTarget,
    dropRecords,
  }: { readonly flushTarget: boolean; readonly dropRecords: (stream: string) => Promise<number> },
): Promise<TableReset | null> {
  const stream = store.streams().find(({ name }) => name === streamName);
  if (stream === undefined) return null;
  const table = new StreamMemory(store, () => {}).lastTable(stream);
  const removedKeys = flushTarget ? await removeRows(running, table, streamName) : null;
  const droppedRecords = await dropRecords(streamName);
  const name = table === null ? streamName : [table.schema || table.db, table.table].join('.');
  return { stream: streamName, droppedRecords, removedKeys, next: howToReadAgain(name) };
}

function howToReadAgain(table: string): string {
  const data = JSON.stringify({ 'data-collections': [table], type: 'incremental' });
  return (
    'rdi cannot have the feeder read a single table again. Ask it for an incremental snapshot: insert a row ' +
    `(id, type, data) = ('rdi-${table}', 'execute-snapshot', '${data}') into its signal table ` +
    '(debezium.source.signal.data.collection); or read all tables again with rdi reset.'
  );
}

async function removeRows(
  running: RunningPipeline | null,
  table: TableIdentity | null,
  stream: string,
): Promise<number> {
  if (running === null || table === null) {
    throw new ConfigError('CONFIG_INVALID', `What ${stream} has in the target is not known`, {
      fix: 'Deploy the pipeline that writes it, wait for an event of the table, then try again; or delete the keys there yourself',
    });
  }
  let removed = 0;
  const { pipeline } = running;
  for (const [connection, prefixes] of prefixesOf(running.jobs, pipeline.settings.keyTemplate, table)) {
    const target = pipeline.targets[connection];
    if (target !== undefined) removed += await removeKeys(target, prefixes);
  }
  return removed;
}

function prefixesOf(
  jobs: readonly JobDefinition[],
  template: string,
  table: TableIdentity,
): ReadonlyMap<string, readonly string[]> {
  const { prefixes, unknown } = keyPrefixes(jobs, template, table);
  if (unknown.length === 0) return prefixes;
  throw new ConfigError(
    'CONFIG_INVALID',
    `The keys of ${table.table} cannot be told from others: ${unknown.join('; ')}`,
    {
      fix: 'Delete them in the target yourself, or flush the whole target with rdi reset --flush-target',
    },
  );
}
