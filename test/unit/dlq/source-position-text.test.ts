import { expect, it } from 'vitest';
import { readSourcePosition, sourcePositionText } from '../../../src/dlq/index.ts';

it.each([
  [{ connector: 'postgresql', lsn: 23_765_832 }, 'lsn 0/16AA348'],
  [{ connector: 'postgresql', lsn: '18446744073709551615' }, 'lsn FFFFFFFF/FFFFFFFF'],
  [{ connector: 'mysql', file: 'mysql-bin.000003', pos: 154, row: 2 }, 'binlog mysql-bin.000003:154, row 2'],
  [{ connector: 'mariadb', file: 'b.1', pos: 4, gtid: '0-1-7' }, 'binlog b.1:4, gtid 0-1-7'],
  [{ connector: 'oracle', scn: '1234' }, 'scn 1234'],
  [{ connector: 'sqlserver', commit_lsn: '0:1:2', change_lsn: '0:1:1' }, 'lsn 0:1:1'],
  [{ connector: 'sqlserver', commit_lsn: '0:1:2', change_lsn: null }, 'lsn 0:1:2'],
  [{ connector: 'mongodb', ord: 3 }, 'ord 3'],
])('the place %j in the log of a database is written as its people do', (source, text) => {
  const position = readSourcePosition(source);
  expect(position && sourcePositionText(position)).toBe(text);
});
