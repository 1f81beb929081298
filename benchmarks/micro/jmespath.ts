/**
 * CPU per evaluation of the expressions that jobs use most, on a record of 10 columns, and of making that record and columns
 * again. Prints one JSON object; all times are µs of CPU per evaluation, the best of several rounds.
 *
 * Usage: node benchmarks/micro/jmespath.ts [evaluations per round]
 */
import { compileJmespath } from '../../src/transform/expressions/jmespath.ts';
import { rowToObject, toColumns } from '../../src/transform/expressions/values.ts';
import { JsonText, type Row } from '../../src/types.ts';

const EVALUATIONS = Number(process.argv[2] ?? 200_000);
const ROUNDS = 9;
const RECORDS = 1_000;

const EXPRESSIONS: Readonly<Record<string, string>> = {
  field: 'email',
  path: 'after.email',
  concat: "concat(['customer:', id])",
  concatThree: "concat([first_name, ' ', last_name])",
  compare: 'visits > `100`',
  filter: "vip == `true` && country != 'NO'",
  upper: 'upper(last_name)',
  notNull: "not_null(phone, email, '-')",
  in: 'in(country, `["DE","FR","IT"]`)',
  left: 'left(street, `10`)',
  regexReplace: "regex_replace(phone_text, '[^0-9]', '')",
  hash: 'hash(email)',
  map: '{id: id, name: last_name, mail: email}',
  jsonField: 'document.tags[0]',
};

const NAMES = ['id', 'first_name', 'last_name', 'email', 'visits', 'vip', 'country', 'phone', 'phone_text', 'street'];

function rowOf(id: number): Row {
  const values = [
    id,
    `Name${id % 977}`,
    `Surname${id % 1013}`,
    `user${id}@example.com`,
    id % 5_000,
    id % 2 === 0,
    ['DE', 'NO', 'SE'][id % 3]!,
    null,
    `+47 22-33 ${id % 100}`,
    `${id % 300} Long Street Name, Building ${id % 40}`,
  ];
  return { names: NAMES, values, partial: false };
}

const WITH_JSON = [...NAMES, 'document'];

function rowWithJson(id: number): Row {
  const values = [...rowOf(id).values, new JsonText(`{"tags":["a","b${id}"],"sizes":[1,2.50,3],"note":"as ordered"}`)];
  return { names: WITH_JSON, values, partial: false };
}

/** µs of CPU per call of the best round. */
function measure(call: (index: number) => unknown): number {
  let best = Number.POSITIVE_INFINITY;
  let results = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const before = process.cpuUsage();
    for (let i = 0; i < EVALUATIONS; i++) if (call(i % RECORDS) !== undefined) results++;
    const { user, system } = process.cpuUsage(before);
    best = Math.min(best, (user + system) / EVALUATIONS);
  }
  if (results !== EVALUATIONS * ROUNDS) throw new Error('some evaluations gave nothing');
  return Math.round(best * 1000) / 1000;
}

const ids = Array.from({ length: RECORDS }, (_, id) => id);
const rows = ids.map(rowOf);
const jsonRows = ids.map(rowWithJson);
const records = rows.map(rowToObject);
const jsonRecords = jsonRows.map(rowToObject);
const full = records.map((record) => new Map([['after', record]]));

const results: Record<string, number> = {};
for (const [name, text] of Object.entries(EXPRESSIONS)) {
  const { evaluate } = compileJmespath(text);
  const world = name === 'path' ? full : name === 'jsonField' ? jsonRecords : records;
  results[name] = measure((index) => evaluate(world[index]!));
}
results['rowToObject'] = measure((index) => rowToObject(rows[index]!));
results['toColumns'] = measure((index) => toColumns(records[index]!, NAMES));
results['jsonRowToObjectReadAndBack'] = measure((index) => {
  const record = rowToObject(jsonRows[index]!);
  return record.get('document') && toColumns(record, WITH_JSON);
});

console.log(
  JSON.stringify(
    {
      benchmark: 'jmespath',
      unit: 'µs CPU per evaluation',
      node: process.version,
      evaluations: EVALUATIONS,
      rounds: ROUNDS,
      results,
    },
    null,
    2,
  ),
);
