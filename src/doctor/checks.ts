/** Every check with what it looks at; `docs/doctor.md` explains each one, and a test compares the two. */
export const CHECKS = {
  configuration: 'The pipeline folder and `rdi.yaml` are valid.',
  secrets: 'Every secret that the deployed configuration names has a value.',
  api: 'A running rdi is reached, lets us log in, and has the version of this command.',
  'target-reach': 'The target is reached, lets us log in, and is ready.',
  'target-version': 'The target is Redis 6 or later.',
  'target-json': 'The target has RedisJSON where documents are wanted.',
  'target-memory': 'The target does not evict rows, and has memory left.',
  'target-persistence': 'The target keeps its data over a restart.',
  'target-role': 'The target takes writes, is no replica, and is spoken to in its own way (Cluster or not).',
  'target-rights': 'The user of the target may run the commands that rdi needs.',
  'target-latency': 'The target answers quickly.',
  'target-clock': 'The clocks of this machine and of the target agree.',
  'target-notifications': 'Keyspace notifications, which rdi does not need, cost the target nothing.',
  'data-folder': 'The data folder can be written, and belongs to no other process.',
  'data-disk': 'The file system keeps what it confirms, and has room up to the disk limit.',
  'data-sync': 'The disk confirms writes quickly: each batch of a feeder waits for it.',
  'endpoint-port': 'The ports are free, or served by rdi.',
  feeder: 'A Debezium Server is connected.',
  'feeder-settings': 'The settings of the feeder do not damage values, judged from what it sends.',
  'feeder-state': 'The feeder keeps its offsets, and where needed its schema history, in rdi.',
  flow: 'Data flows: no problem is reported by the running rdi.',
  dlq: 'No record was rejected.',
} as const;

export type Check = keyof typeof CHECKS;
