/**
 * CPU per record of SQL expressions: three in one statement (as in `map` and `add_field`), the same three one by one, and
 * what single expressions cost, against three plain JavaScript functions of the same meaning in the same run. Prints one
 * JSON object; all times are µs of CPU per record, the best of several rounds.
 *
 * Usage: node benchmarks/micro/sql.ts [records per round]
 */
import os from 'node:os';
import { compileSql, compileSqlGroup } from '../../src/transform/expressions/sql.ts';
import type { JobValue } from '../../src/transform/expressions/types.ts';

const RECORDS = Number(process.argv[2] ?? 50_000);
const ROUNDS = 9;

/** A row of ten columns. */
function row(id: number): Map<string, JobValue> {
  return new Map<string, JobValue>([
    ['id', id],
    ['fname', `Name${id % 977}`],
    ['lname', `Surname${id % 1013}`],
    ['email', `user${id}@example.com`],
    ['balance', `${id % 10_000}.${10 + (id % 90)}`],
    ['age', id % 90],
    ['vip', id % 2 === 0],
    ['created', 1_749_047_572_000 + id],
    ['street', `${id % 300} Long Street Name, Building ${id % 40}`],
    ['note', id % 3 === 0 ? null : `Complaint ${id} was settled with a voucher and an apology.`],
  ]);
}

const records = Array.from({ length: 1000 }, (_, index) => row(index + 1));
const THREE = ["fname || ' ' || lname", "CASE WHEN age < 30 THEN 'young' ELSE 'adult' END", 'age * 2'];

const plain = (record: Map<string, JobValue>): JobValue[] => [
  `${record.get('fname')} ${record.get('lname')}`,
  (record.get('age') as number) < 30 ? 'young' : 'adult',
  (record.get('age') as number) * 2,
];

let kept: unknown;

function microsecondsPerRecord(evaluate: (record: Map<string, JobValue>) => unknown): number {
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < ROUNDS; round++) {
    const before = process.cpuUsage();
    for (let i = 0; i < RECORDS; i++) kept = evaluate(records[i % records.length] as Map<string, JobValue>);
    const { user, system } = process.cpuUsage(before);
    best = Math.min(best, (user + system) / RECORDS);
  }
  return Number(best.toFixed(3));
}

const group = compileSqlGroup(THREE);
const singles = THREE.map(compileSql);
const results: Record<string, number> = {
  'three in JavaScript': microsecondsPerRecord(plain),
  'three in one statement': microsecondsPerRecord((record) => group.evaluate(record)),
  'three one by one': microsecondsPerRecord((record) => singles.map((expression) => expression.evaluate(record))),
};
const SINGLE = [
  'id',
  'age > 20',
  'AGE > 20',
  'missing IS NULL',
  'CASE WHEN vip = 1 AND CAST(balance AS REAL) > 99.9 THEN True ELSE False END',
  "strftime('%Y-%m-%d %H:%M:%S', created / 1000, 'unixepoch')",
  "email LIKE '%@example.com'",
  "email REGEXP '@example[.]com$'",
];
for (const text of SINGLE) {
  const expression = compileSql(text);
  results[text] = microsecondsPerRecord((record) => expression.evaluate(record));
}
const compiling = microsecondsPerRecord(() => compileSql("CASE WHEN age < 30 THEN 'young' ELSE 'adult' END"));

console.log(
  JSON.stringify(
    {
      what: 'CPU per record of SQL expressions, µs',
      node: process.version,
      sqlite: process.versions['sqlite'],
      cpu: os.cpus()[0]?.model,
      records: RECORDS,
      columns: records[0]?.size,
      results,
      'compiling one': compiling,
      kept: typeof kept,
    },
    null,
    2,
  ),
);
