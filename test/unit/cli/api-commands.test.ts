import { createServer } from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import { main, type Terminal } from '../../../src/cli/index.ts';
import type { Engine } from '../../../src/control/index.ts';
import { type HttpServer, startHttp } from '../../../src/http/index.ts';
import { type CapturedTerminal, capturedTerminal } from '../../helpers/captured-terminal.ts';
import { engineSnapshot, fakeEngine, NOW, SUMS, streamAccount } from '../../helpers/engine-snapshot.ts';

const servers: HttpServer[] = [];

afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()));
});

interface Outcome {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs a command against an rdi that shows this engine. */
async function run(args: string[], engine: Engine = fakeEngine(), change: Partial<Terminal> = {}): Promise<Outcome> {
  const server = await startHttp({ host: '127.0.0.1', port: 0, engine: () => engine, onError: () => {} });
  servers.push(server);
  return runAt(args, capturedTerminal({ env: { RDI_API_URL: `http://${server.address}` }, ...change }));
}

async function runAt(args: string[], terminal: CapturedTerminal): Promise<Outcome> {
  const code = await main(args, terminal);
  return { code, ...terminal.printed };
}

describe('rdi status', () => {
  it('shows the sections of RDI’s status, aligned, with the account in numbers', async () => {
    const { code, out } = await run(['status']);
    expect(code).toBe(0);
    expect(out).toBe(
      `rdi 0.1.0  RUNNING  sync mode STREAMING  up 3 min 12 s

  Name     Active  Status   Current  Revision
  ───────  ──────  ───────  ───────  ────────
  default  yes     started  yes      1

Problems
  WARNING  1 rejected record of data:{rdi}:shop.orders is kept. See rdi list-dlq-records 'data:{rdi}:shop.orders'.

Sources
  Name  Type  Db Type  Connection    Sync Mode  Connected
  ────  ────  ───────  ────────────  ─────────  ─────────
  shop  cdc   mysql    db:3306/shop  streaming  yes

Targets
  Name    Db Type  Connection              Connected  State  Redis   JSON  Last Write
  ──────  ───────  ──────────────────────  ─────────  ─────  ──────  ────  ──────────
  target  redis    redis://127.0.0.1:6379  yes        ready  7.0.15  no    400 ms ago

Processor
  read_batch_size  500

Jobs
  Name    Source  Transformations  Outputs  Connections
  ──────  ──────  ───────────────  ───────  ───────────
  orders  orders                1        1  target

Components
  Name              Type                Version  Status
  ────────────────  ──────────────────  ───────  ───────
  collector-shop    debezium-collector  unknown  started
  processor         stream-processor    0.1.0    started
  metrics-exporter  metrics-exporter    0.1.0    started

Statistics
  Name               Total  Pending  Inserted  Updated  Deleted  Filtered  Rejected  Deduplicated  Last Arrival
  ─────────────────  ─────  ───────  ────────  ───────  ───────  ────────  ────────  ────────────  ────────────
  {rdi}:shop.orders    100       10        60       10        5         2         1             4  500 ms ago

Account
  received 100 = written 70 + filtered 2 + superseded 5 + deduplicated 4 + rejected 1 + skipped 8 + pending 10

Performance
  Per Batch  Entries  Read ms  Decode ms  Transform ms  Write ms  Settle ms  Total ms  Entries/s
  ─────────  ───────  ───────  ─────────  ────────────  ────────  ─────────  ────────  ─────────
  mean of 2       25      0.5        1.0           1.5       2.0        2.5       8.0       3125
  last            25      1.0        2.0           3.0       4.0        5.0      16.0       1563

Feeders
  Id  Name                 Address          User             Age  Idle  Commands
  ──  ───────────────────  ───────────────  ────────  ──────────  ────  ────────
   3  debezium:redis:sink  127.0.0.1:50000  debezium  1 min 40 s  0 ms       110

Store
  ./data is ready: 3 MB of 20 GB in 2 segments, 1000 B of 64 MB held in memory, 10 on their way to the target

Notices
  sources.mysql is kept and has no effect yet.
`,
    );
  });

  it('puts what is wrong first, in plain words', async () => {
    const state = { state: 'waiting', code: 'TARGET_UNAVAILABLE', message: 'ECONNREFUSED', attempts: 7 } as const;
    const target = { name: 'target', address: 'redis://10.0.0.7:6379', state: { ...state, since: NOW - 12_000 } };
    const engine = fakeEngine(() => engineSnapshot({ targets: [target], dlqs: [] }), ['The target is away.']);
    const { out } = await run(['status'], engine);
    expect(
      out
        .split('\n')
        .filter((line) => !/default|Active|──/.test(line))
        .slice(0, 6),
    ).toEqual([
      'rdi 0.1.0  ERROR  sync mode STREAMING  up 3 min 12 s',
      '  not ready: The target is away.',
      '',
      '',
      'Problems',
      '  ERROR    Target target (redis://10.0.0.7:6379) cannot take writes since 12 s, 7 attempts: ECONNREFUSED. Nothing is lost.',
    ]);
  });

  it('tells a newcomer what to do when nothing has arrived', async () => {
    const empty = { ...SUMS, received: 0 };
    const endpoint = { ...engineSnapshot().endpoint, connections: [] };
    const { out } = await run(
      ['status'],
      fakeEngine(() => engineSnapshot({ streams: [], totals: empty, endpoint, dlqs: [] })),
    );
    expect(out).toContain('No problems.');
    expect(out).toContain("None is connected. Debezium's sink connects to 127.0.0.1:12001");
    expect(out).toContain('No streams found');
  });

  it('adds up several streams', async () => {
    const streams = [streamAccount(), streamAccount({ name: 'data:other', db: 2, lastArrivalMs: null })];
    const { out } = await run(
      ['describe'],
      fakeEngine(() => engineSnapshot({ streams })),
    );
    expect(out).toMatch(/^ {2}other@2 +100 .* -$/m);
    expect(out).toMatch(/^ {2}all +100 /m);
  });

  it('gives everything as JSON and as YAML', async () => {
    const json = JSON.parse((await run(['status', '-o', 'json'])).out) as Record<string, unknown>;
    expect(json).toMatchObject({ state: 'RUNNING', totals: { received: 100 }, ready: true });
    expect((await run(['status', '-o', 'yaml'])).out).toContain('state: RUNNING\n');
  });

  it('does not let a table name drive the terminal', async () => {
    const streams = [streamAccount({ name: 'data:\u001b[2Jevil' })];
    const { out } = await run(
      ['status'],
      fakeEngine(() => engineSnapshot({ streams })),
    );
    expect(out).not.toContain('\u001b');
    expect(out).toContain('\\x1b[2Jevil');
  });

  it('uses colours on a screen only', async () => {
    const terminal = { isScreen: true };
    expect((await run(['status'])).out).not.toContain('\u001b[');
    const server = servers.at(-1)!;
    const env = { RDI_API_URL: `http://${server.address}` };
    expect((await runAt(['status'], capturedTerminal({ ...terminal, env }))).out).toContain('\u001b[32mRUNNING');
  });
});

describe('DLQ commands', () => {
  it('list streams with rejected records', async () => {
    expect((await run(['list-dlqs'])).out).toBe(
      '  Stream                  Records  Dropped\n' +
        '  ──────────────────────  ───────  ───────\n' +
        '  data:{rdi}:shop.orders        1        0\n',
    );
  });

  it('say so when there are none', async () => {
    expect(
      (
        await run(
          ['list-dlqs'],
          fakeEngine(() => engineSnapshot({ dlqs: [] })),
        )
      ).out,
    ).toBe('No record was rejected.\n');
  });

  it('show records with operation by name and reason, by a short name', async () => {
    const { out } = await run(['list-dlq-records', 'orders']);
    expect(out).toBe(
      '1794999999999-0  2026-11-18T12:26:40.000Z  create  shop.orders\n' +
        '  record id        1795000000000-0\n' +
        '  reason_rejected  The record has no primary key.\n' +
        '  after            {"id":1}\n',
    );
  });

  it('hand on limit, offset and order', async () => {
    expect((await run(['get-rejected', 'orders', '--offset', '5', '--sort-order', 'asc'])).out).toContain(
      'No rejected',
    );
    const json = await run(['list-dlq-records', 'orders', '-o', 'json']);
    expect(JSON.parse(json.out)).toMatchObject({ stream: 'data:{rdi}:shop.orders', records: [{ opcode: 'create' }] });
  });

  it.each([
    ['--limit', '0'],
    ['--limit', 'x'],
    ['--offset', '-1'],
    ['--sort-order', 'up'],
  ])('refuse %s %s as wrong usage', async (flag, value) => {
    expect((await run(['list-dlq-records', 'orders', flag, value])).code).toBe(2);
  });

  it('end with 5 for a stream that is not there', async () => {
    const { code, err } = await run(['list-dlq-records', 'nothing']);
    expect(code).toBe(5);
    expect(err).toMatch(/^API_REFUSED: No stream is called nothing\. rdi status/);
  });

  it('name the stream that was probably meant', async () => {
    const { err } = await run(['list-dlq-records', 'oders']);
    expect(err).toContain('No stream is called oders; did you mean orders? rdi status shows all names.');
  });

  it('name those that a short name could mean', async () => {
    const streams = ['a.orders', 'b.orders'].map((name) => streamAccount({ name }));
    const engine = fakeEngine(() => engineSnapshot({ streams, dlqs: [] }));
    const { code, err } = await run(['list-dlq-records', 'orders'], engine);
    expect(code).toBe(5);
    expect(err).toContain('Several streams are called orders: a.orders, b.orders. Give more of the name.');
  });

  it('end with 5 for a record that is not there, also when it should be retried or dropped', async () => {
    const ids = ['orders', '--id', '77'];
    const codes = [run(['get-dlq-record', 'orders', '77']), run(['retry-dlq', ...ids]), run(['drop-dlq', ...ids])];
    expect((await Promise.all(codes)).map(({ code }) => code)).toEqual([5, 5, 5]);
  });

  it('refuse an empty id', async () => {
    expect(await run(['get-dlq-record', 'orders', ''])).toMatchObject({ code: 2, out: '' });
  });
});

describe('rdi resume', () => {
  it('lets a stopped stream go on', async () => {
    const stopped = { reason: 'no key', entryId: '1-0', since: 1 };
    const engine = fakeEngine(() => engineSnapshot({ streams: [streamAccount({ stopped })] }));
    expect(await run(['resume', 'orders'], engine)).toEqual({
      code: 0,
      out: 'Stream data:{rdi}:shop.orders goes on.\n',
      err: '',
    });
  });

  it('fails when the stream is not stopped', async () => {
    const { code, err } = await run(['resume', 'orders']);
    expect(code).toBe(1);
    expect(err).toContain('is not stopped');
  });
});

describe('without a running rdi', () => {
  it.each([['status'], ['list-dlqs'], ['list-dlq-records', 'x'], ['resume', 'x']])(
    '%s ends with 3 and says what to do, without the password of the url',
    async (...args) => {
      const terminal = capturedTerminal();
      const { code, err } = await runAt([...args, '--api-url', 'http://u:geheim@127.0.0.1:1'], terminal);
      expect(code).toBe(3);
      expect(err).toMatch(/^API_UNREACHABLE: No rdi answers at http:\/\/127.0.0.1:1: .*rdi run.*--api-url/);
      expect(err).not.toContain('geheim');
    },
  );

  it.each(['ftp://x', 'http://', 'a b'])('%j as an address is wrong usage', async (url) => {
    expect((await runAt(['status', '--api-url', url], capturedTerminal())).code).toBe(2);
  });

  it('the user of the url is sent to a proxy in front of rdi', async () => {
    let login: string | undefined;
    const proxy = createServer((request, response) => {
      login = request.headers.authorization;
      response.end('{}');
    }).listen(0, '127.0.0.1');
    await new Promise((resolve) => proxy.once('listening', resolve));
    const { port } = proxy.address() as { port: number };
    await runAt(['list-dlqs', '--api-url', `u:p%40ss@127.0.0.1:${port}`], capturedTerminal());
    proxy.close();
    expect(login).toBe(`Basic ${Buffer.from('u:p@ss').toString('base64')}`);
  });

  it('something else at the address is not taken for rdi', async () => {
    const other = createServer((_request, response) => response.end('<html>')).listen(0, '127.0.0.1');
    await new Promise((resolve) => other.once('listening', resolve));
    const { port } = other.address() as { port: number };
    const { code, err } = await runAt(['status', '--api-url', `http://127.0.0.1:${port}`], capturedTerminal());
    other.close();
    expect(code).toBe(3);
    expect(err).toContain('what answers there is not rdi');
  });
});
