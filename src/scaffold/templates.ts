import type { Database } from './types.ts';

/** `config.yaml` of a new pipeline folder. */
export function configText(type: string, source: string, database: Database): string {
  const { label, collector, connection, capture, server, debezium } = database;
  const feeder =
    debezium === null
      ? server
      : ['rdi starts no collector: a Debezium Server with `application.properties` (beside this file) feeds it.'];
  return `# A pipeline folder for ${label}, made by \`rdi scaffold\`. \`rdi validate\` finds mistakes, \`rdi test\` runs jobs/tests,
# \`rdi run\` starts it. Values like \${NAME} come from the environment or from \`rdi set-secret NAME\`.

sources:
${feeder.map((line) => `  # ${line}\n`).join('')}  # The section says what is captured, as RDI reads it.
  ${source}:
    type: ${collector}
    connection:
      type: ${type}
${indent(connection, 6)}${indent(capture, 4)}
targets:
  # The Redis that receives your rows. \`target\` is the default one; others can be named here, and in the outputs of jobs.
  target:
    connection:
      type: redis
      host: 127.0.0.1
      port: 6379
      # user: \${TARGET_DB_USERNAME} # an ACL user; without it the default user
      # password: \${TARGET_DB_PASSWORD}
      # cacert: /path/to/ca.crt # switches TLS on; \`tls: true\` trusts the CAs of the system

processors:
  # What a row becomes without a job: \`hash\`, or \`json\` (the target needs RedisJSON, which Redis 8 brings along).
  target_data_type: hash
  # A record that cannot be written is kept with its reason (\`rdi list-dlqs\`), and the others go on.
  error_handling: dlq
`;
}

/** An example job. It is harmless for a table \`orders\` that looks different: what is not there is taken as empty. */
export function jobText(server: string | undefined): string {
  return `# One file per job, at most one job per table. Tables without a job are written as they are.
# \`rdi test\` runs the tests of this one (jobs/tests/orders.yaml); \`rdi dry-run\` shows what becomes of one event.
name: orders
source:
  table: orders
${server === undefined ? '  # server_name: NAME   # `topic.prefix` of the feeder, where there are several' : `  server_name: ${server} # \`topic.prefix\` of the feeder`}

# An order that stops passing the filter leaves the target.
filter_removes: true

transform:
  # Drafts stay where they are. SQL and JMESPath are both spoken.
  - uses: filter
    with:
      language: sql
      expression: COALESCE(status, '') <> 'draft'

  # A column of our own. Decimals arrive as text, with every digit.
  - uses: add_field
    with:
      field: is_large
      language: sql
      expression: CASE WHEN CAST(total AS REAL) >= 1000 THEN 'yes' ELSE 'no' END

  # What nobody reads there needs no memory there.
  - uses: remove_field
    with:
      field: internal_note

# Without \`key\` the key is \`orders:<key column>:<value>\`.
output:
  - uses: redis.write
    with:
      data_type: hash
`;
}

/** Tests of the example job. */
export function jobTestText(server: string | undefined): string {
  const place = server === undefined ? '' : `\n      server_name: ${server}`;
  return `# Tests of jobs: these changes are given, these keys are expected. No target is needed.
- name: an order is written with what we add, and without the internal note
  given:
    - table: orders${place}
      op: c
      key: {id: 1}
      after: {id: 1, status: paid, total: "1250.00", internal_note: call back}
  expect:
    keys:
      orders:id:1:
        hash: {id: "1", status: paid, total: "1250.00", is_large: "yes"}

- name: a draft is not written
  given:
    - table: orders${place}
      op: c
      key: {id: 2}
      after: {id: 2, status: draft, total: "10.00"}
  expect:
    keys: {}
    filtered: 1

- name: an order that is deleted leaves the target
  keys:
    orders:id:1:
      hash: {id: "1", status: paid}
  given:
    - table: orders${place}
      op: d
      key: {id: 1}
      before: {id: 1, status: paid, total: "1250.00"}
  expect:
    keys: {}
`;
}

function indent(lines: readonly string[], depth: number): string {
  return lines.map((line) => `${' '.repeat(depth)}${line}\n`).join('');
}
