/**
 * Fields that ExtractNewRecordState can add to a flattened row (`add.fields`, default prefix `__`): `__deleted`, then those of
 * the envelope, its `transaction` block and every connector's `source` block (Debezium 3.6), as `__table` or `__source_table`.
 */
const ENVELOPE = ['deleted', 'op', 'ts_ms', 'ts_us', 'ts_ns'];
const TRANSACTION = ['transaction_id', 'transaction_total_order', 'transaction_data_collection_order'];
const SOURCE = [
  ...['version', 'connector', 'name', 'ts_ms', 'ts_us', 'ts_ns', 'snapshot', 'db', 'sequence', 'schema', 'table'],
  ...['txId', 'lsn', 'xmin', 'origin', 'origin_lsn', 'server_id', 'gtid', 'file', 'pos', 'row', 'thread', 'query'],
  ...['change_lsn', 'commit_lsn', 'event_serial_no', 'txSeq', 'scn', 'commit_scn', 'lcr_position', 'rs_id', 'ssn'],
  ...['redo_thread', 'user_name', 'redo_sql', 'row_id', 'commit_ts_ms', 'start_scn', 'start_ts_ms', 'begin_lsn'],
  ...[
    'collection',
    'ord',
    'lsid',
    'txnNumber',
    'wallTime',
    'keyspace',
    'shard',
    'vgtid',
    'cluster',
    'resolved_ts',
    'ts_hlc',
  ],
];

const NAMES: ReadonlySet<string> = new Set(
  [...ENVELOPE, ...TRANSACTION, ...SOURCE, ...SOURCE.map((name) => `source_${name}`)].map((name) => `__${name}`),
);

/** Whether a member of a flattened row is metadata and no column. */
export function isMetadataName(name: string): boolean {
  return NAMES.has(name);
}
