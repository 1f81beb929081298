/**
 * The positions in what a Debezium Server stores as its offset: a hash of `["<engine>",{"server":"<prefix>"}]` to an object of
 * positions (3.6: `lsn`, `txId`, `file`, `pos`, `gtids`, `scn`, `commit_lsn`, `resume_token`, …). Only known names are passed on:
 * an offset may also hold what a person signalled.
 */
const POSITIONS =
  /^(?:lsn|lsn_proc|lsn_commit|txId|transaction_id|messageType|file|pos|row|event|server_id|gtids|scn|commit_scn|snapshot_scn|lcr_position|change_lsn|commit_lsn|event_serial_no|resume_token|sec|ord|ts_sec|ts_usec|snapshot|snapshot_completed|initsync)$/;

/** Positions by key and field. */
export function offsetsOf(metadata: readonly { key: string; field: string; value: string }[]) {
  return metadata.map(({ key, field, value }) => ({ key, field, position: positionOf(value) }));
}

function positionOf(value: string): Readonly<Record<string, unknown>> | null {
  try {
    const parsed: unknown = JSON.parse(value);
    if (parsed === null || typeof parsed !== 'object') return null;
    return Object.fromEntries(Object.entries(parsed).filter(([name]) => POSITIONS.test(name)));
  } catch {
    return null;
  }
}
