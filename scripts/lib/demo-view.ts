/** What the demonstration prints: tables side by side, rows side by side, the account, and what to do next. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { styleText } from 'node:util';
import type { Redis } from 'ioredis';
import type { AccountSums, EngineSnapshot } from '../../src/control/types.ts';
import { readTableShapes, type TableShape } from '../../test/helpers/table-shapes.ts';

export const bold = (text: string): string => styleText('bold', text);
export const dim = (text: string): string => styleText('dim', text);

interface SourceRow {
  readonly table: string;
  readonly row: Readonly<Record<string, string | null>>;
}

/** Rows that show something: an update, a composite key, an odd name. Key columns with their values, by table. */
const SHOWN: readonly { table: string; key: Readonly<Record<string, string>>; because: string }[] = [
  { table: 'customers', key: { id: '1' }, because: 'read by the snapshot, then updated' },
  {
    table: 'order_lines',
    key: { order_id: '1', line_no: '7' },
    because: 'its primary key was changed from line 2 to 7',
  },
  { table: 'Odd Table-1', key: { 'the Id': '1' }, because: 'odd names are kept as they are' },
];
const WIDTH = 34;
const LEGEND = [
  'filtered: the tombstones that Debezium sends after deletes · superseded: a later state of the row came in the same batch',
  'rejected: no primary key, see rdi list-dlqs · skipped: changes no row',
];

/** Rows in the source and keys in Redis per table. False when they differ where they should not. */
export async function showTables(
  root: string,
  recording: string,
  redis: Redis,
  status: EngineSnapshot,
): Promise<boolean> {
  const { rows, shapes, database } = source(root, recording);
  const keys = await countKeys(redis);
  const rejected = status.dlqs.reduce((sum, { count }) => sum + count, 0);
  console.log(bold(`Rows in ${database}, and keys in Redis`));
  let agree = true;
  for (const [table, shape] of shapes) {
    const inSource = rows.filter((row) => row.table === table).length;
    const inRedis = keys.get(table) ?? 0;
    keys.delete(table);
    const hasKey = shape.key.length > 0;
    if (hasKey && inSource !== inRedis) agree = false;
    const remark = hasKey
      ? dim(`${table}:${shape.key.map((column) => `${column}:…`).join(':')}`)
      : dim(`no primary key: kept in the dead-letter queue (${rejected} records, rdi list-dlqs)`);
    const sign = hasKey && inSource !== inRedis ? '✗' : '✓';
    console.log(
      `  ${sign} ${table.padEnd(14)} ${String(inSource).padStart(5)} ${String(inRedis).padStart(5)}   ${remark}`,
    );
  }
  for (const [table, count] of keys) {
    console.log(
      `  ✗ ${table.padEnd(14)} ${'0'.padStart(5)} ${String(count).padStart(5)}   ${dim('not in the source')}`,
    );
    agree = false;
  }
  console.log();
  return agree;
}

/** A few rows column by column: the database's own text, and the field of the hash. */
export async function showRows(root: string, recording: string, redis: Redis): Promise<void> {
  const { rows, shapes, database } = source(root, recording);
  for (const { table, key, because } of SHOWN) {
    const row = rows.find(
      (one) => one.table === table && Object.entries(key).every(([name, v]) => one.row[name] === v),
    );
    const shape = shapes.get(table);
    if (!row || !shape) continue;
    const redisKey = [table, ...shape.key.map((column) => `${column}:${key[column]}`)].join(':');
    const hash = await redis.hgetall(redisKey);
    console.log(`${bold(redisKey)}  ${dim(because)}`);
    console.log(dim(`    ${'column'.padEnd(12)} ${`in ${database}`.padEnd(WIDTH)} in Redis`));
    for (const column of shape.types.keys()) {
      if (row.row[column] === undefined && hash[column] === undefined) continue;
      console.log(
        `    ${column.padEnd(12)} ${cell(row.row[column]).padEnd(WIDTH)} ${cell(hash[column], '(no field)')}`,
      );
    }
    console.log();
  }
  console.log(dim(remarks(recording)));
}

/** The sum that must always hold. False when it does not. */
export function showAccount(totals: AccountSums): boolean {
  const { received, written, filtered, superseded, deduplicated, rejected, skipped, pending } = totals;
  const parts = { written, filtered, superseded, deduplicated, rejected, skipped, pending };
  const balanced = received === Object.values(parts).reduce((sum, count) => sum + count, 0);
  const sum = Object.entries(parts).map(([name, count]) => `${name} ${count}`);
  console.log(bold('Where every entry went'));
  console.log(`  ${balanced ? '✓' : '✗'} received ${received} = ${sum.join(' + ')}`);
  for (const line of LEGEND) console.log(dim(`    ${line}`));
  console.log();
  return balanced;
}

export function showNext(recording: string): void {
  const other = recording.startsWith('my') ? 'pg-3.6-extended-schemas' : 'my-3.6-extended';
  console.log(bold('What to do next'));
  const commands = [
    ['./scripts/build', 'make dist/rdi, one executable without dependencies'],
    ['dist/rdi run --dir examples/quickstart', 'fill your own Redis; point your Debezium Server at 127.0.0.1:12001'],
    ['less examples/quickstart/application.properties', 'the settings for that Debezium Server, each with its reason'],
    [`./scripts/demo ${other}`, 'this demonstration with other traffic'],
  ];
  for (const [command = '', purpose = ''] of commands) console.log(`  ${command.padEnd(48)} ${dim(purpose)}`);
  console.log();
}

function remarks(recording: string): string {
  if (recording.includes('schemas')) {
    return 'Events of this recording carry schemas: dates and times became milliseconds since 1970, decimals kept their digits.\n';
  }
  return [
    'Events of this recording carry no schemas, so values are in the form in which Debezium sent them: days, microseconds, and',
    'decimals in base64. decimal.handling.mode=string (as in examples/quickstart/application.properties) sends them as text.',
    'note: NULL arrives as the column’s default unless Debezium is told otherwise (replace.null.with.default=false).\n',
  ].join('\n');
}

function source(root: string, recording: string) {
  const name = recording.startsWith('my') ? 'mariadb' : 'postgresql';
  const read = (path: string) => readFileSync(join(root, 'fixtures', path), 'utf8');
  const lines = read(`expected/${name}.rows.ndjson`).trim().split('\n');
  const rows = lines.map((line) => JSON.parse(line) as SourceRow);
  const shapes: ReadonlyMap<string, TableShape> = readTableShapes(read(`source/${name}.schema.sql`));
  return { rows, shapes, database: name === 'mariadb' ? 'MariaDB' : 'PostgreSQL' };
}

async function countKeys(redis: Redis): Promise<Map<string, number>> {
  const counts = new Map<string, number>();
  for await (const page of redis.scanStream({ count: 1000 })) {
    for (const key of page as string[]) {
      const table = key.slice(0, key.indexOf(':'));
      counts.set(table, (counts.get(table) ?? 0) + 1);
    }
  }
  return counts;
}

function cell(value: string | null | undefined, absent = ''): string {
  if (value === null) return 'NULL';
  if (value === undefined) return absent;
  const shown = value.replaceAll('\n', '⏎');
  return shown.length > WIDTH ? `${shown.slice(0, WIDTH - 1)}…` : shown;
}
