/** A real PostgreSQL with logical decoding, as the e2e suite needs it. */
import { execFileSync } from 'node:child_process';
import { chownSync, existsSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { SourceRow } from '../helpers/expected-rows.ts';
import { Process, until } from '../helpers/processes.ts';
import { freePort } from '../helpers/redis-server.ts';
import type { TableShape } from '../helpers/table-shapes.ts';
import { runClient } from './client.ts';
import type { Database } from './database.ts';

const NAME = 'shopdb';

export async function startPostgresql(folder: string): Promise<Database> {
  const binaries = findBinaries();
  const owner = serverUser();
  const data = join(folder, 'postgresql');
  mkdirSync(data, { recursive: true });
  if (owner.uid !== undefined && owner.gid !== undefined) chownSync(data, owner.uid, owner.gid);
  execFileSync(join(binaries, 'initdb'), ['-A', 'trust', '-U', 'postgres', '-E', 'UTF8', '--locale=C', '-D', data], {
    stdio: 'pipe',
    cwd: data,
    ...owner,
  });
  const port = await freePort();
  const settings = ['wal_level=logical', 'max_wal_senders=8', 'max_replication_slots=8', 'timezone=UTC', 'fsync=off'];
  const args = ['-D', data, '-h', '127.0.0.1', '-p', String(port), '-k', data, ...settings.flatMap((s) => ['-c', s])];
  const logFile = join(folder, 'postgresql.log');
  const client = (database: string, sql: string) =>
    runClient(
      'psql',
      [
        '-h',
        '127.0.0.1',
        '-p',
        String(port),
        '-U',
        'postgres',
        '-d',
        database,
        '-X',
        '-q',
        '-At',
        '-v',
        'ON_ERROR_STOP=1',
      ],
      sql,
    );

  let server: Process;
  const start = async () => {
    server = new Process(join(binaries, 'postgres'), args, { logFile, cwd: data, ...owner });
    await until('PostgreSQL to accept queries', async () => (await client('postgres', 'select 1')) === '1\n', {
      timeoutMs: 30_000,
      evidence: () => server.log(),
    });
  };
  await start();
  await client('postgres', `create database ${NAME};`);

  return {
    kind: 'postgresql',
    port,
    run: async (sql) => {
      await client(NAME, sql);
    },
    rows: async (shapes) => {
      const queries = [...shapes.values()].map(rowsQuery).join('\n');
      const output = await client(NAME, `set search_path=shop,public;\n${queries}`);
      return output
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line) as SourceRow);
    },
    crashAndRestart: async () => {
      // An immediate shutdown: no checkpoint, so the next start recovers from the log as after a crash.
      await server.end('SIGQUIT');
      await start();
    },
    close: async () => {
      await server.end('SIGINT');
    },
  };
}

/** hstore(row) prints every column with its type's own output function. */
function rowsQuery({ name }: TableShape): string {
  const table = name.replaceAll('"', '""');
  return `select json_build_object('table', '${name.replaceAll("'", "''")}', 'row', hstore_to_json(hstore(t))) from shop."${table}" t;`;
}

function findBinaries(): string {
  const root = '/usr/lib/postgresql';
  const versions = existsSync(root) ? readdirSync(root).sort((a, b) => Number(b) - Number(a)) : [];
  const found = versions
    .map((version) => join(root, version, 'bin'))
    .find((path) => existsSync(join(path, 'postgres')));
  if (!found) throw new Error(`No PostgreSQL server under ${root}. Run ./scripts/e2e, which installs it.`);
  return found;
}

/** PostgreSQL refuses to run as root; Debian's package brings a user for it. */
function serverUser(): { uid?: number; gid?: number } {
  if (process.getuid?.() !== 0) return {};
  const id = (flag: string) => Number(execFileSync('id', [flag, 'postgres'], { encoding: 'utf8' }));
  return { uid: id('-u'), gid: id('-g') };
}
