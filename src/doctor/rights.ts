import type { LoadedPipeline } from '../config/index.ts';

/** What a pipeline needs of its targets. */
export interface Rights {
  /** Whether documents are written. */
  readonly json: boolean;
  /** Commands with arguments, as `ACL DRYRUN` takes them. */
  readonly commands: readonly (readonly string[])[];
}

const KEY = 'rdi:doctor';

/** A command of each sort that a data type needs. */
const BY_DATA_TYPE: Readonly<Record<string, readonly (readonly string[])[]>> = {
  hash: [
    ['HSET', KEY, 'f', 'v'],
    ['HDEL', KEY, 'f'],
    ['DEL', KEY],
  ],
  json: [
    ['JSON.SET', KEY, '$', '{}'],
    ['JSON.MERGE', KEY, '$', '{}'],
    ['JSON.DEL', KEY, '$'],
    ['DEL', KEY],
  ],
  set: [
    ['SADD', KEY, 'm'],
    ['SREM', KEY, 'm'],
  ],
  sorted_set: [
    ['ZADD', KEY, '1', 'm'],
    ['ZREM', KEY, 'm'],
  ],
  stream: [['EVAL', 'return 1', '1', KEY]],
  string: [
    ['SET', KEY, 'v'],
    ['DEL', KEY],
  ],
};

const ALWAYS: readonly (readonly string[])[] = [
  ['CLIENT', 'ID'],
  ['CLIENT', 'KILL', 'ID', '1'],
];

interface WrittenOutput {
  readonly with?: { readonly data_type?: unknown; readonly expire?: unknown; readonly nest?: unknown };
}

/** Read from the files as they are written: a job that is wrong is another check's business. */
export function neededCommands({ settings, jobs }: LoadedPipeline): Rights {
  const types = new Set<string>([settings.targetDataType]);
  let expires = false;
  for (const { content } of jobs) {
    const outputs = Array.isArray(content['output']) ? (content['output'] as WrittenOutput[]) : [];
    for (const output of outputs) {
      const written = output?.with;
      if (typeof written?.data_type === 'string') types.add(written.data_type);
      if (written?.nest !== undefined) types.add('json');
      if (written?.expire !== undefined) expires = true;
    }
  }
  const commands = [...types].flatMap((type) => BY_DATA_TYPE[type] ?? []);
  const living = expires
    ? [
        ['EXPIRE', KEY, '1'],
        ['PERSIST', KEY],
      ]
    : [];
  return { json: types.has('json'), commands: [...commands, ...living, ...ALWAYS] };
}
