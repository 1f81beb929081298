import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { main, type Terminal } from '../../../src/cli/index.ts';
import { capturedTerminal } from '../../helpers/captured-terminal.ts';
import { makeCertificate } from '../config/certificates.ts';
import { folderWith } from '../config/files.ts';

interface Received {
  readonly method: string;
  readonly path: string;
  readonly body: unknown;
}

/** What `/api/v2/overview` shows of the pipeline, and what the pipeline's status is. */
const AT_REST = { pipeline: { failure: null as string | null } };

/** An API as rdi serves it, as far as these commands ask; it keeps what it is sent. */
async function serve(change: { failure?: string; isUsed?: boolean } = {}) {
  const received: Received[] = [];
  const line = (key: string, isSet = true) => ({
    key,
    type: 'simple',
    origin: isSet ? 'store' : null,
    isSet,
    isUsed: change.isUsed ?? true,
  });
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const text = Buffer.concat(chunks).toString();
    const path = decodeURIComponent(request.url ?? '').replace('/api/v2/pipelines/default/', '');
    received.push({ method: request.method ?? '', path, body: text === '' ? undefined : JSON.parse(text) });
    const answer = (status: number, body?: unknown) => {
      response.writeHead(status, { 'content-type': 'application/json' });
      response.end(body === undefined ? '' : JSON.stringify(body));
    };
    if (path === '/api/v2/overview') answer(200, change.failure ? { pipeline: { failure: change.failure } } : AT_REST);
    else if (path === 'status') answer(200, { name: 'default', active: true, status: 'started', current: true });
    else if (path === 'secrets') answer(200, [line('SOURCE_DB_PASSWORD', false), line('TARGET_DB_PASSWORD')]);
    else if (path === 'secrets/NONE') answer(404, { detail: 'There is no secret NONE.' });
    else if (request.method === 'DELETE') answer(204);
    else answer(200, line(path.replace('secrets/', '')));
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, received };
}

type Served = Awaited<ReturnType<typeof serve>>;

async function run(args: string[], served: Served, change: Partial<Terminal> = {}) {
  const terminal = capturedTerminal({ env: { RDI_API_URL: served.url, HOME: '/nowhere' }, ...change });
  const code = await main(args, terminal);
  return { code, ...terminal.printed };
}

/** What was set: name and value. */
function sent({ received }: Served): [string, unknown][] {
  return received
    .filter(({ method }) => method === 'PUT')
    .map(({ path, body }) => [path.replace('secrets/', ''), (body as { value: unknown }).value]);
}

describe('set-secret', () => {
  it.each([
    ['after the key', ['TARGET_DB_PASSWORD', 'v1'], ['TARGET_DB_PASSWORD', 'v1']],
    ['with --literal', ['TARGET_DB_PASSWORD', '--literal', 'v2'], ['TARGET_DB_PASSWORD', 'v2']],
    ['for a database', ['PASSWORD', 'v3', '--db', 'orders-eu'], ['ORDERS_EU_DB_PASSWORD', 'v3']],
    ['for the target', ['KEY_PASSWORD', 'v4', '--db', 'target'], ['TARGET_DB_KEY_PASSWORD', 'v4']],
    ['as in 2023', ['--secret-name', 'target-password', '--secret-value', 'v5'], ['TARGET_DB_PASSWORD', 'v5']],
    ['of the RDI database', ['RDI_REDIS_KEY_PASSPHRASE', 'v6'], ['RDI_REDIS_KEY_PASSPHRASE', 'v6']],
    ['that signs tokens', ['JWT_SECRET_KEY', 'v7'], ['JWT_SECRET_KEY', 'v7']],
    ['of a name of one’s own', ['MY_HOST', 'v8'], ['MY_HOST', 'v8']],
    ['that is empty', ['TARGET_DB_PASSWORD', ''], ['TARGET_DB_PASSWORD', '']],
  ])('takes a value %s', async (_, args, expected) => {
    const served = await serve();
    const { code, out } = await run(['set-secret', ...args], served);
    expect([code, out]).toEqual([0, `Secret ${expected[0]} is set.\n`]);
    expect(sent(served)).toEqual([expected]);
  });

  it('reads a file, without the newline at its end', async () => {
    const served = await serve();
    const folder = folderWith({ value: 'from a file\n' });
    await run(['set-secret', 'TARGET_DB_PASSWORD', '--file', join(folder, 'value')], served);
    expect(sent(served)).toEqual([['TARGET_DB_PASSWORD', 'from a file']]);
  });

  it('takes the path of a certificate or key as its content where the file is there, and a password as it is', async () => {
    const served = await serve();
    const folder = folderWith({ 'ca.crt': 'PEM\n' });
    const path = join(folder, 'ca.crt');
    await run(['set-secret', 'SOURCE_DB_CACERT', path], served);
    await run(['set-secret', 'KEY', path, '--db', 'target'], served);
    await run(['set-secret', 'TARGET_DB_CERT', '/nowhere/client.crt'], served);
    await run(['set-secret', 'TARGET_DB_CERT', '--literal', path], served);
    await run(['set-secret', 'TARGET_DB_PASSWORD', path], served);
    await run(['set-secret', 'JWT_SECRET_KEY', path], served);
    expect(sent(served).map(([, value]) => value)).toEqual(['PEM', 'PEM', '/nowhere/client.crt', path, path, path]);
  });

  it('turns certificates and keys in binary form into PEM, and refuses other binary files', async () => {
    const served = await serve();
    const folder = folderWith({});
    const { cert, key } = makeCertificate(folder);
    const [certDer, keyDer, noise] = ['c.der', 'k.der', 'noise'].map((name) => join(folder, name)) as [
      string,
      string,
      string,
    ];
    execFileSync('openssl', ['x509', '-in', cert, '-outform', 'DER', '-out', certDer]);
    execFileSync('openssl', ['pkcs8', '-topk8', '-nocrypt', '-in', key, '-outform', 'DER', '-out', keyDer]);
    execFileSync('openssl', ['rand', '-out', noise, '64']);
    await run(['set-secret', 'TARGET_DB_CERT', '--file', certDer], served);
    await run(['set-secret', 'TARGET_DB_KEY', '--file', keyDer], served);
    expect(sent(served)[0]![1]).toBe(readFileSync(cert, 'utf8'));
    expect(sent(served)[1]![1]).toContain('-----BEGIN PRIVATE KEY-----');
    const refused = await run(['set-secret', 'TARGET_DB_KEY', '--file', noise], served);
    expect([refused.code, refused.err]).toEqual([2, expect.stringContaining('neither text nor a certificate')]);
  });

  it('asks a person for the value without showing it', async () => {
    const served = await serve();
    const asked: unknown[] = [];
    const ask = async (question: string, options: unknown) => {
      asked.push(question, options);
      return 'typed-geheim';
    };
    const { out, err } = await run(['set-secret', 'TARGET_DB_PASSWORD'], served, { ask });
    expect(asked).toEqual(['Value of TARGET_DB_PASSWORD: ', { isHidden: true }]);
    expect(sent(served)).toEqual([['TARGET_DB_PASSWORD', 'typed-geheim']]);
    expect(out + err).not.toContain('geheim');
  });

  it.each([
    ['nothing', ['TARGET_DB_PASSWORD'], /no value is given.*--file -/s],
    ['no key', [], /missing required argument 'key'/],
    ['two values', ['TARGET_DB_PASSWORD', 'geheim-1', '--literal', 'geheim-2'], /more than once/],
    ['a file that is not there', ['A', '--file', '/nowhere/x'], /\/nowhere\/x cannot be read: ENOENT/],
    ['a key that no database has', ['PASWORD', 'v', '--db', 'target'], /Use one of USERNAME, PASSWORD/],
  ])('refuses %s as wrong usage', async (_, args, message) => {
    const served = await serve();
    const { code, err } = await run(['set-secret', ...args], served);
    expect([code, err]).toEqual([2, expect.stringMatching(message)]);
    expect(err).not.toContain('geheim');
    expect(served.received).toEqual([]);
  });

  it('fails when the pipeline cannot use it, and does not wait to see with --wait=false', async () => {
    const served = await serve({ failure: 'the target refuses our password.' });
    const { code, err } = await run(['set-secret', 'TARGET_DB_PASSWORD', 'v'], served);
    expect([code, err]).toEqual([
      1,
      expect.stringMatching(/cannot use it: the target refuses our password\..*is kept/s),
    ]);
    expect((await run(['set-secret', 'TARGET_DB_PASSWORD', 'v', '--wait=false'], served)).code).toBe(0);
  });

  it('says when nothing refers to the name', async () => {
    const served = await serve({ isUsed: false });
    const { err } = await run(['set-secret', 'TARGET_DB_PASWORD', 'v'], served);
    // A pipeline that does not use it, or is not there, need not be waited for.
    expect(served.received.map(({ path }) => path)).not.toContain('status');
    expect(err).toMatch(/^Nothing in the configuration refers to \$\{TARGET_DB_PASWORD\} yet\.\n$/);
  });
});

describe('secrets are shown', () => {
  it('as a list, one of them, and in words, by full and short key', async () => {
    const served = await serve();
    const table = (await run(['list-secrets'], served)).out;
    expect(table.split('\n').slice(2, 4)).toEqual([
      '  SOURCE_DB_PASSWORD  no   yes   -',
      '  TARGET_DB_PASSWORD  yes  yes   set-secret',
    ]);
    expect(JSON.parse((await run(['list-secrets', '-o', 'json', '--db', 'target'], served)).out)).toMatchObject([
      { key: 'TARGET_DB_PASSWORD' },
    ]);
    expect((await run(['get-secret', 'PASSWORD', '--db', 'target', '-p', 'default'], served)).out).toContain(
      'TARGET_DB_PASSWORD  yes  yes   set-secret',
    );
    expect((await run(['describe-secret', 'TARGET_DB_PASSWORD'], served)).out).toBe(
      'Key:  TARGET_DB_PASSWORD\nSet:  yes\nUsed: yes\nFrom: set-secret\n',
    );
    expect((await run(['describe-secret', 'NONE'], served)).code).toBe(5);
  });
});

describe('delete-secret', () => {
  it('asks, and without a terminal refuses and names --force', async () => {
    const served = await serve();
    const refused = await run(['delete-secret', 'A'], served);
    expect([refused.code, refused.err]).toEqual([2, expect.stringContaining('--force')]);
    expect((await run(['delete-secret', 'A'], served, { ask: async () => 'n' })).code).not.toBe(0);
    expect(served.received).toEqual([]);
    expect((await run(['delete-secret', 'A'], served, { ask: async () => 'y' })).out).toBe('Secret A is deleted.\n');
    expect((await run(['delete-secret', 'PASSWORD', '--db', 'target', '--force'], served)).code).toBe(0);
    const deleted = served.received.filter(({ method }) => method === 'DELETE').map(({ path }) => path);
    expect(deleted).toEqual(['secrets/A', 'secrets/TARGET_DB_PASSWORD']);
  });
});
