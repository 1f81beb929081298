/**
 * Where a change stands in the log of its source, from the `source` block of Debezium's envelopes (3.6; the members are those
 * of 2.5, too).
 *
 * | connector | members |
 * |---|---|
 * | postgresql | `lsn` |
 * | mysql, mariadb | `file`, `pos`, `row`; where those cannot be compared, `gtid` |
 * | oracle | `scn`, then `rs_id` and `ssn`, which only tell the same change from another one |
 * | sqlserver, db2, informix | `commit_lsn`, `change_lsn`, `event_serial_no` |
 * | mongodb | `ts_ms`, `ord` |
 */
export interface SourcePosition {
  readonly connector: string;
  readonly name: string;
  /** ms since the epoch; 0 when it is not told. */
  readonly ms: number;
  readonly isSnapshot: boolean;
  readonly members: Readonly<Record<string, string>>;
}

const MEMBERS: Readonly<Record<string, readonly string[]>> = {
  postgresql: ['lsn'],
  mysql: ['server_id', 'file', 'pos', 'row', 'gtid'],
  mariadb: ['server_id', 'file', 'pos', 'row', 'gtid'],
  oracle: ['scn', 'rs_id', 'ssn'],
  sqlserver: ['commit_lsn', 'change_lsn', 'event_serial_no'],
  db2: ['commit_lsn', 'change_lsn', 'event_serial_no'],
  informix: ['commit_lsn', 'change_lsn'],
  mongodb: ['ts_ms', 'ord'],
};

/** Reads a parsed `source` block; null when it says nothing of a position. */
export function readSourcePosition(source: unknown): SourcePosition | null {
  if (typeof source !== 'object' || source === null) return null;
  const block = source as Record<string, unknown>;
  const connector = textOf(block['connector']);
  const members: Record<string, string> = {};
  for (const name of MEMBERS[connector] ?? []) {
    const value = textOf(block[name]);
    if (value !== '') members[name] = value;
  }
  if (Object.keys(members).length === 0) return null;
  const snapshot = textOf(block['snapshot']);
  return {
    connector,
    name: textOf(block['name']),
    ms: Number(textOf(block['ts_ms'])) || 0,
    isSnapshot: snapshot !== '' && snapshot !== 'false',
    members,
  };
}

/** A place in the log of a database as its people write it: `lsn 0/16B3748`, `binlog mysql-bin.000003:154`, `scn 1234`. */
export function sourcePositionText({ members }: SourcePosition): string | null {
  const { file, pos = '0', row, gtid, lsn } = members;
  if (file !== undefined) {
    return `binlog ${file}:${pos}${row === undefined ? '' : `, row ${row}`}${gtid === undefined ? '' : `, gtid ${gtid}`}`;
  }
  if (lsn !== undefined) return `lsn ${lsnOf(lsn)}`;
  const said = (word: string, name: string) => (members[name] === undefined ? null : `${word} ${members[name]}`);
  return said('scn', 'scn') ?? said('lsn', 'change_lsn') ?? said('lsn', 'commit_lsn') ?? said('ord', 'ord');
}

/** PostgreSQL's way to write a position: both halves in hexadecimal. */
function lsnOf(number: string): string {
  if (!/^\d+$/.test(number)) return number;
  const whole = BigInt(number);
  return `${(whole >> 32n).toString(16)}/${(whole & 0xffffffffn).toString(16)}`.toUpperCase();
}

export type SourceOrder = 'newer' | 'older' | 'same' | 'unknown';

/** How `one` stands to `other` at the source. `unknown` where the two cannot be compared. */
export function compareSources(one: SourcePosition | null, other: SourcePosition | null): SourceOrder {
  if (!one || !other || one.connector !== other.connector || one.name !== other.name) return 'unknown';
  const order = compareMembers(one.connector, one.members, other.members);
  if (order === 0) return one.isSnapshot === other.isSnapshot ? 'same' : 'unknown';
  if (Number.isNaN(order)) return 'unknown';
  // A log that began anew, after a restore or on another server: positions go back, time does not.
  if (one.ms !== 0 && other.ms !== 0 && one.ms !== other.ms && one.ms > other.ms !== order > 0) return 'unknown';
  return order > 0 ? 'newer' : 'older';
}

type Members = Readonly<Record<string, string>>;

/** Below 0: before; 0: the same; above 0: behind; NaN: nobody knows. */
function compareMembers(connector: string, one: Members, other: Members): number {
  switch (connector) {
    case 'postgresql':
      return byNumbers(one, other, ['lsn']);
    case 'mysql':
    case 'mariadb':
      return compareBinlogs(one, other);
    case 'oracle': {
      const order = byNumbers(one, other, ['scn']);
      // Several changes may carry one SCN.
      const isSame = one['rs_id'] !== undefined && one['rs_id'] === other['rs_id'] && one['ssn'] === other['ssn'];
      return order !== 0 || isSame ? order : Number.NaN;
    }
    case 'mongodb':
      return byNumbers(one, other, ['ts_ms', 'ord']);
    default:
      return compareLsns(one, other);
  }
}

function compareBinlogs(one: Members, other: Members): number {
  const [file, otherFile] = [binlogOf(one), binlogOf(other)];
  if (file && otherFile && file.base === otherFile.base && one['server_id'] === other['server_id']) {
    const order = sign(file.number, otherFile.number);
    return order !== 0 ? order : byNumbers(one, other, ['pos', 'row']);
  }
  return compareGtids(one['gtid'], other['gtid']);
}

function binlogOf({ file = '' }: Members): { base: string; number: bigint } | null {
  const parts = /^(.*\D)?(\d+)$/.exec(file);
  return parts ? { base: parts[1] ?? '', number: BigInt(parts[2] as string) } : null;
}

/** MySQL `uuid:17` (also with a tag), MariaDB `0-1-17`: comparable within one origin. */
function compareGtids(one = '', other = ''): number {
  const [a, b] = [/^(.*[:-])(\d+)$/.exec(one), /^(.*[:-])(\d+)$/.exec(other)];
  if (!a || !b || a[1] !== b[1]) return Number.NaN;
  const order = sign(BigInt(a[2] as string), BigInt(b[2] as string));
  // All changes of a transaction carry one.
  return order === 0 ? Number.NaN : order;
}

/** Hexadecimal groups of fixed width, so that texts compare like the numbers. */
function compareLsns(one: Members, other: Members): number {
  for (const name of ['commit_lsn', 'change_lsn']) {
    const [a, b] = [one[name] ?? '', other[name] ?? ''];
    if (a.length !== b.length) return Number.NaN;
    if (a !== b) return a > b ? 1 : -1;
  }
  return byNumbers(one, other, ['event_serial_no']);
}

function byNumbers(one: Members, other: Members, names: readonly string[]): number {
  for (const [i, name] of names.entries()) {
    const [a, b] = [one[name], other[name]];
    if (a === undefined && b === undefined && i > 0) continue;
    if (!a || !b || !/^-?\d+$/.test(a) || !/^-?\d+$/.test(b)) return Number.NaN;
    const order = sign(BigInt(a), BigInt(b));
    if (order !== 0) return order;
  }
  return 0;
}

function sign(a: bigint, b: bigint): number {
  return a === b ? 0 : a > b ? 1 : -1;
}

/** Text of a member that is a text or a number; numbers keep their digits as `{ rawJSON }` or plain numbers. */
function textOf(value: unknown): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'number') return String(value);
  if (typeof value === 'object' && value !== null && 'rawJSON' in value) return String(value.rawJSON);
  return '';
}
