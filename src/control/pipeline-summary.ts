import type { JobDefinition } from '../transform/index.ts';
import type { RunningPipeline } from './operations.ts';
import type { EngineSnapshot } from './types.ts';

type Summary = Pick<EngineSnapshot['pipeline'], 'sources' | 'jobs'>;

/** What the configuration in force says, in a few words per source and job. Placeholders stay, secrets are masked. */
export function summarize(running: RunningPipeline | null): Summary {
  if (running === null) return { sources: [], jobs: [] };
  const { pipeline, jobs } = running;
  const sources = Object.entries(mapAt(pipeline.document, 'sources'));
  return {
    sources: sources.map(([name, source]) => ({ name, ...summarizeSource(source) })),
    jobs: jobs.map((job) => ({
      name: job.name,
      source: sourceOf(pipeline.jobs.find(({ file }) => file === job.file)?.content ?? {}),
      transformations: job.blocks.length,
      outputs: job.outputs.length,
      connections: connectionsOf(job),
    })),
  };
}

function summarizeSource(source: unknown): { type: string; dbType: string; connection: string } {
  const connection = mapAt(source, 'connection');
  const { host, port, database } = connection as Record<string, unknown>;
  const place = [host, port].filter((part) => part !== undefined).join(':');
  return {
    type: textAt(source, 'type') || 'cdc',
    dbType: textAt(connection, 'type'),
    connection: place === '' ? '' : database === undefined ? place : `${place}/${String(database)}`,
  };
}

/** `server.schema.table` as far as the job's `source` names them. */
function sourceOf(job: Readonly<Record<string, unknown>>): string {
  const source = mapAt(job, 'source');
  const parts = ['server_name', 'db', 'schema', 'table'].map((part) => textAt(source, part));
  return parts.filter((part) => part !== '').join('.');
}

function connectionsOf({ outputs, blocks }: JobDefinition): string[] {
  const read = blocks.flatMap((block) => (block.uses === 'redis.lookup' ? [block.connection] : []));
  return [...new Set([...outputs.map(({ connection }) => connection), ...read])];
}

function mapAt(value: unknown, key: string): Readonly<Record<string, unknown>> {
  const inner = (value as Readonly<Record<string, unknown>> | null | undefined)?.[key];
  return inner !== null && typeof inner === 'object' ? (inner as Readonly<Record<string, unknown>>) : {};
}

function textAt(value: unknown, key: string): string {
  const inner = (value as Readonly<Record<string, unknown>> | null | undefined)?.[key];
  return inner === undefined || inner === null ? '' : String(inner);
}
