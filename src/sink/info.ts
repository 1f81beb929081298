import type { Client } from './client.ts';

/** Equal, above any `memory.limit.mb`: every Debezium version from 2.1 on waits until the next poll says otherwise. */
const FULL = 1099511627776;
/** Below 2 MB, so that the percentage check of 2.1 – 2.5 never blocks (spec/debezium-sink-protocol.md §6). */
const MAX_REPORTED = 1 << 20;

/**
 * The text of `INFO`. `used_memory` and `maxmemory` know two states only, "check off" and "full": a real limit makes
 * the estimate of Debezium 2.6 and later wait for ever.
 */
export function infoText(connection: Client, sections: readonly string[]): string {
  const { context } = connection;
  const wanted = new Set(sections.map((section) => section.toLowerCase()));
  const all = wanted.size === 0 || wanted.has('all') || wanted.has('default') || wanted.has('everything');
  const parts: Readonly<Record<string, () => string[]>> = {
    Server: () => server(connection),
    Clients: () => [`connected_clients:${[...context.clients()].length}`, 'blocked_clients:0'],
    Memory: () => memory(connection),
    Persistence: () => ['loading:0', 'aof_enabled:1', 'aof_last_write_status:ok', 'rdb_changes_since_last_save:0'],
    Stats: () => [`total_entries_appended:${totalAppended(connection)}`, 'evicted_keys:0', 'expired_keys:0'],
    Replication: () => ['role:master', 'connected_slaves:0', `master_repl_offset:${context.store.durable}`],
    Cluster: () => ['cluster_enabled:0'],
    Keyspace: () => keyspace(connection),
  };
  return Object.entries(parts)
    .filter(([name]) => all || wanted.has(name.toLowerCase()))
    .map(([name, lines]) => `# ${name}\r\n${lines().join('\r\n')}\r\n`)
    .join('\r\n');
}

function server({ context, localPort }: Client): string[] {
  const uptime = Math.floor((context.clock.now() - context.startedAtMs) / 1000);
  return [
    'redis_version:7.0.15',
    'redis_mode:standalone',
    `rdi_version:${context.version}`,
    `process_id:${process.pid}`,
    `tcp_port:${localPort}`,
    `uptime_in_seconds:${uptime}`,
    `uptime_in_days:${Math.floor(uptime / 86400)}`,
    'arch_bits:64',
  ];
}

function memory({ context, mustStartAnew }: Client): string[] {
  const { store, testMaxmemory } = context;
  const isFull = store.pressure !== 'none' || testMaxmemory > 0 || mustStartAnew;
  const used = isFull ? FULL : Math.min(store.bytes, MAX_REPORTED);
  return [
    `used_memory:${used}`,
    `used_memory_human:${(used / (1 << 20)).toFixed(2)}M`,
    `used_memory_rss:${used}`,
    `maxmemory:${isFull ? FULL : 0}`,
    `maxmemory_human:${isFull ? '1.00T' : '0B'}`,
    'maxmemory_policy:noeviction',
    'mem_fragmentation_ratio:1.00',
    `backlog_bytes:${store.bytes}`,
    `backlog_limit_bytes:${store.limitBytes}`,
    `backpressure:${store.pressure}`,
  ];
}

function totalAppended({ context }: Client): number {
  return context.store.streams().reduce((sum, stream) => sum + stream.appended, 0);
}

function keyspace({ context }: Client): string[] {
  const lines: string[] = [];
  for (let db = 0; db < 16; db++) {
    const streams = context.store.streams().filter((stream) => stream.db === db).length;
    const keys = streams + context.store.metadata.keys(db).length;
    if (keys > 0) lines.push(`db${db}:keys=${keys},expires=0,avg_ttl=0`);
  }
  return lines;
}
