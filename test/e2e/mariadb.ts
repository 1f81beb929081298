/** A real MariaDB with a full row-based binary log, as the e2e suite needs it. */
import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { SourceRow } from '../helpers/expected-rows.ts';
import { Process, until } from '../helpers/processes.ts';
import { freePort } from '../helpers/redis-server.ts';
import type { TableShape } from '../helpers/table-shapes.ts';
import { runClient } from './client.ts';
import type { Database } from './database.ts';

const NAME = 'shop';
export const MARIADB_USER = 'dbz';
export const MARIADB_PASSWORD = 'dbz';

export async function startMariadb(folder: string): Promise<Database> {
  const data = join(folder, 'mariadb');
  mkdirSync(data, { recursive: true });
  const asRoot = process.getuid?.() === 0 ? ['--user=root'] : [];
  const layout = ['--no-defaults', `--datadir=${data}`, ...asRoot];
  execFileSync('mariadb-install-db', [...layout, '--skip-test-db', '--auth-root-authentication-method=normal'], {
    stdio: 'pipe',
  });
  const port = await freePort();
  const socket = join(data, 'server.sock');
  const args = [
    ...layout,
    `--port=${port}`,
    '--bind-address=127.0.0.1',
    `--socket=${socket}`,
    `--pid-file=${join(data, 'server.pid')}`,
    '--log-bin',
    '--binlog-format=ROW',
    '--binlog-row-image=FULL',
    '--binlog-row-metadata=FULL',
    '--server-id=1',
    '--default-time-zone=+00:00',
    '--sql-mode=',
    '--character-set-server=utf8mb4',
    '--innodb-buffer-pool-size=64M',
  ];
  const logFile = join(folder, 'mariadb.log');
  const client = (sql: string) =>
    runClient(
      'mariadb',
      ['--no-defaults', '-u', 'root', `--socket=${socket}`, '--default-character-set=utf8mb4', '-N', '-B', '-r'],
      sql,
    );

  let server: Process;
  const start = async () => {
    server = new Process('mariadbd', args, { logFile, cwd: data });
    await until('MariaDB to accept queries', async () => (await client('select 1')) === '1\n', {
      timeoutMs: 60_000,
      evidence: () => server.log(),
    });
  };
  await start();
  await client(
    `create user '${MARIADB_USER}'@'%' identified by '${MARIADB_PASSWORD}'; grant all on *.* to '${MARIADB_USER}'@'%';`,
  );

  return {
    kind: 'mariadb',
    port,
    run: async (sql) => {
      await client(sql);
    },
    rows: async (shapes) => {
      const queries = [...shapes.values()].map(rowsQuery).join('\n');
      const output = await client(`set time_zone='+00:00'; use ${NAME};\n${queries}`);
      return output
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line) as SourceRow);
    },
    crashAndRestart: async () => {
      await server.end('SIGKILL');
      await start();
    },
    close: async () => {
      await server.end('SIGTERM');
    },
  };
}

function rowsQuery({ name, types }: TableShape): string {
  const columns = [...types].map(([column, type]) => `'${column}', ${valueText(column, type)}`);
  return `select json_object('table', '${name}', 'row', json_object(${columns.join(', ')})) from \`${name}\`;`;
}

/** Bytes and bits as hex, everything else as MariaDB prints it. */
function valueText(column: string, type: string): string {
  const quoted = `\`${column}\``;
  if (/^(binary|varbinary|\w*blob|bit|point|geometry)/.test(type)) return `hex(${quoted})`;
  return `cast(${quoted} as char character set utf8mb4)`;
}
