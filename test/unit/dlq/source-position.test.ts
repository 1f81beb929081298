import { expect, test } from 'vitest';
import { compareSources, readSourcePosition } from '../../../src/dlq/index.ts';

const MS = 1_700_000_000_000;

function order(one: object, other: object, connector: string): string {
  const read = (members: object) => readSourcePosition({ connector, name: 'shop', ts_ms: MS, ...members });
  return compareSources(read(one), read(other));
}

test.each([
  ['postgresql', { lsn: 20 }, { lsn: 3 }, 'newer'],
  ['postgresql', { lsn: 3 }, { lsn: 3 }, 'same'],
  ['postgresql', { lsn: 3, snapshot: 'last' }, { lsn: 3 }, 'unknown'],
  ['mysql', { file: 'bin.000010', pos: 4 }, { file: 'bin.000009', pos: 900 }, 'newer'],
  ['mysql', { file: 'bin.1', pos: 4, row: 1 }, { file: 'bin.1', pos: 4, row: 0 }, 'newer'],
  ['mysql', { file: 'a.1', pos: 4, gtid: 'u:7' }, { file: 'b.9', pos: 1, gtid: 'u:9' }, 'older'],
  ['mysql', { file: 'a.1', pos: 4, gtid: 'u:7' }, { file: 'b.9', pos: 1, gtid: 'w:9' }, 'unknown'],
  ['mariadb', { gtid: '0-1-10' }, { gtid: '0-1-9' }, 'newer'],
  ['oracle', { scn: '99' }, { scn: '100' }, 'older'],
  ['oracle', { scn: '100', rs_id: 'a', ssn: 1 }, { scn: '100', rs_id: 'b', ssn: 1 }, 'unknown'],
  ['oracle', { scn: '100', rs_id: 'a', ssn: 1 }, { scn: '100', rs_id: 'a', ssn: 1 }, 'same'],
  ['sqlserver', { commit_lsn: '00:0a', change_lsn: '00:02' }, { commit_lsn: '00:0a', change_lsn: '00:01' }, 'newer'],
  ['sqlserver', { commit_lsn: '0a', event_serial_no: 1 }, { commit_lsn: '0a', event_serial_no: 2 }, 'older'],
  ['mongodb', { ord: 2 }, { ord: 10 }, 'older'],
  ['spanner', { low_watermark: 2 }, { low_watermark: 1 }, 'unknown'],
])('%s: %o beside %o is %s', (connector, one, other, expected) => {
  expect(order(one, other, connector)).toBe(expected);
});

test('a log that began anew is recognised by the time, which does not go back', () => {
  expect(order({ lsn: 3, ts_ms: MS + 5 }, { lsn: 20, ts_ms: MS }, 'postgresql')).toBe('unknown');
});

test('positions of other sources are not compared', () => {
  expect(order({ lsn: 3, name: 'other' }, { lsn: 20 }, 'postgresql')).toBe('unknown');
});
