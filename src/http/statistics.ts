import { z } from 'zod';
import type { TargetConnection } from '../config/index.ts';
import { dataSources, type Engine, type EngineSnapshot, type PhaseSums, runState } from '../control/index.ts';

/** RDI's statistics (API v1 `/monitoring/statistics`, and as the metrics of the processor in API v2). */

const sums = z.object({
  total: z.number(),
  pending: z.number(),
  inserted: z.number(),
  updated: z.number(),
  deleted: z.number(),
  filtered: z.number(),
  rejected: z.number(),
  deduplicated: z.number(),
});

export const statistics = z.object({
  connections: z.record(
    z.string(),
    z.object({
      type: z.literal('redis'),
      host: z.string(),
      port: z.number().nullable(),
      database: z.string(),
      user: z.string(),
      password: z.string().describe('Masked'),
      status: z.enum(['connected', 'disconnected']),
    }),
  ),
  data_streams: z.object({
    totals: sums,
    streams: z.record(
      z.string(),
      sums.extend({ last_arrival: z.string().describe('ISO 8601; empty before the first') }),
    ),
  }),
  processing_performance: z
    .object({
      total_batches: z.number(),
      batch_size_avg: z.number(),
      read_time_avg: z.number(),
      transform_time_avg: z.number(),
      write_time_avg: z.number(),
      process_time_avg: z.number(),
      ack_time_avg: z.number(),
      total_time_avg: z.number(),
      rec_per_sec_avg: z.number(),
    })
    .describe('Times in ms per batch'),
  rdi_pipeline_status: z.object({
    rdi_version: z.string(),
    address: z.string(),
    run_status: z.enum(['unknown', 'running', 'idling', 'stopped']),
    sync_mode: z.string(),
  }),
  clients: z.record(
    z.string(),
    z.object({
      id: z.string(),
      name: z.string(),
      addr: z.string(),
      age_sec: z.number(),
      idle_sec: z.number(),
      user: z.string(),
    }),
  ),
  offsets: z.record(z.string(), z.unknown()).describe('What feeders keep of themselves, by key'),
  snapshot_status: z.enum(['running', 'completed', 'N/A']),
});

type Statistics = z.output<typeof statistics>;

const HIDDEN = '***';
const SNAPSHOT_STATUS = { SNAPSHOT: 'running', STREAMING: 'completed', UNKNOWN: 'N/A' } as const;

export function viewStatistics(engine: Engine): Statistics {
  const snapshot = engine.snapshot();
  return {
    connections: connections(engine, snapshot),
    data_streams: dataStreams(snapshot),
    processing_performance: averages(snapshot.performance),
    rdi_pipeline_status: {
      rdi_version: snapshot.version,
      address: snapshot.endpoint.address,
      run_status: runStatus(snapshot),
      sync_mode: snapshot.syncMode,
    },
    clients: Object.fromEntries(
      snapshot.endpoint.connections.map(({ id, name, address, ageSec, idleSec, user }) => [
        String(id),
        { id: String(id), name, addr: address, age_sec: ageSec, idle_sec: idleSec, user },
      ]),
    ),
    offsets: engine.offsets(),
    snapshot_status: SNAPSHOT_STATUS[snapshot.syncMode],
  };
}

function connections({ pipeline }: Engine, { targets }: EngineSnapshot): Statistics['connections'] {
  const configured = pipeline.current?.pipeline.targets ?? {};
  return Object.fromEntries(
    Object.entries(configured).map(([name, connection]) => {
      const isReady = targets.some((target) => target.name === name && target.state.state === 'ready');
      return [name, { ...viewConnection(connection), status: isReady ? 'connected' : 'disconnected' } as const];
    }),
  );
}

function viewConnection(connection: TargetConnection) {
  const first = connection.sentinel?.nodes[0] ?? connection.cluster?.nodes[0];
  return {
    type: 'redis' as const,
    host: connection.host ?? connection.socketPath ?? first?.host ?? '',
    port: connection.port ?? first?.port ?? null,
    database: String(connection.db ?? 0),
    user: connection.user ?? '',
    password: connection.password === undefined ? '' : HIDDEN,
  };
}

function dataStreams({ streams, totals }: EngineSnapshot): Statistics['data_streams'] {
  const names = dataSources(streams);
  const perStream = streams.map((stream, index) => {
    const last_arrival = stream.lastArrivalMs === null ? '' : new Date(stream.lastArrivalMs).toISOString();
    return [names[index]!, { ...viewSums(stream), last_arrival }] as const;
  });
  return { totals: viewSums(totals), streams: Object.fromEntries(perStream) };
}

function viewSums(account: EngineSnapshot['totals']): z.output<typeof sums> {
  const { received, pending, inserted, updated, deleted, filtered, rejected, deduplicated } = account;
  return { total: received, pending, inserted, updated, deleted, filtered, rejected, deduplicated };
}

/** RDI's transform phase holds the decoding, its process phase what is between reading and settling. */
function averages(phases: PhaseSums): Statistics['processing_performance'] {
  const perBatch = (sum: number): number => (phases.batches === 0 ? 0 : rounded(sum / phases.batches));
  const transformMs = phases.decodeMs + phases.transformMs;
  return {
    total_batches: phases.batches,
    batch_size_avg: perBatch(phases.entries),
    read_time_avg: perBatch(phases.readMs),
    transform_time_avg: perBatch(transformMs),
    write_time_avg: perBatch(phases.writeMs),
    process_time_avg: perBatch(transformMs + phases.writeMs),
    ack_time_avg: perBatch(phases.settleMs),
    total_time_avg: perBatch(phases.totalMs),
    rec_per_sec_avg: phases.totalMs === 0 ? 0 : rounded((phases.entries * 1000) / phases.totalMs),
  };
}

function rounded(value: number): number {
  return Math.round(value * 100) / 100;
}

function runStatus(snapshot: EngineSnapshot): Statistics['rdi_pipeline_status']['run_status'] {
  if (snapshot.pipeline.state === 'stopped') return 'stopped';
  const state = runState(snapshot);
  if (state === 'RUNNING') return 'running';
  if (state === 'IDLING' || state === 'STARTED') return 'idling';
  return state === 'STOPPED' ? 'stopped' : 'unknown';
}
