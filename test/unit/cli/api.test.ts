import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { connectApi, withQuery } from '../../../src/cli/api.ts';
import { exitCodeOf } from '../../../src/cli/exit-codes.ts';
import { indentJson } from '../../../src/cli/indent-json.ts';
import { main, type Terminal } from '../../../src/cli/index.ts';
import { LiveScreen } from '../../../src/cli/live-screen.ts';
import { capturedTerminal } from '../../helpers/captured-terminal.ts';
import { tempFolder } from '../../helpers/temp-folder.ts';
import { makeCertificate } from '../config/certificates.ts';

const servers: Server[] = [];

afterEach(() => {
  for (const server of servers.splice(0)) {
    server.close();
    server.closeAllConnections();
  }
});

async function listen(server: Server): Promise<string> {
  servers.push(server.listen(0, '127.0.0.1'));
  await new Promise((resolve) => server.once('listening', resolve));
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function serve(listener: RequestListener): Promise<string> {
  return `http://${await listen(createServer(listener))}`;
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of request) text += chunk;
  return text;
}

/** An API that wants a login; every token is good for `uses` requests. */
async function guarded(uses = 100): Promise<{ url: string; logins: unknown[] }> {
  const logins: unknown[] = [];
  let left = 0;
  const url = await serve(async (request, response) => {
    if (request.url === '/api/v1/login') {
      const login = JSON.parse(await bodyOf(request)) as { password: string };
      logins.push(login);
      left = uses;
      if (login.password === 'right')
        response.end(JSON.stringify({ access_token: `t${logins.length}`, token_type: 'bearer' }));
      else response.writeHead(401).end('{"detail":"Wrong user or password."}');
      return;
    }
    const isAllowed = request.headers.authorization === `Bearer t${logins.length}` && left-- > 0;
    response.writeHead(isAllowed ? 200 : 401).end(isAllowed ? '[]' : '{"detail":"No token."}');
  });
  return { url, logins };
}

async function run(args: string[], change: Partial<Terminal> = {}) {
  const terminal = capturedTerminal(change);
  return { code: await main(args, terminal), ...terminal.printed };
}

describe('a login', () => {
  it('is done where a user is given, before or behind the command, by option or variable', async () => {
    const { url, logins } = await guarded();
    const ways: [string[], Record<string, string>][] = [
      [['list', '--api-url', url, '--user', 'u', '--password', 'right'], {}],
      [['--api-url', url, '--user', 'u', '--password', 'right', 'list'], {}],
      [['list'], { RDI_API_URL: url, RDI_USER: 'u', RDI_PASSWORD: 'right' }],
      [['--user', 'other', 'list', '--user', 'u'], { RDI_API_URL: url, RDI_USER: 'no', RDI_PASSWORD: 'right' }],
    ];
    for (const [args, env] of ways) {
      const { code, err } = await run(args, { env });
      expect(code, err).toBe(0);
      expect(logins.at(-1)).toEqual({ username: 'u', password: 'right' });
    }
  });

  it('asks for a missing password on a terminal, hidden, and refuses without one', async () => {
    const { url } = await guarded();
    const asked: unknown[] = [];
    const ask = async (...question: unknown[]) => {
      asked.push(question);
      return 'right';
    };
    expect((await run(['list', '--api-url', url, '--user', 'u'], { ask })).code).toBe(0);
    expect(asked).toEqual([['Password of u: ', { isHidden: true }]]);
    const { code, err } = await run(['list', '--api-url', url, '--user', 'u']);
    expect(code).toBe(2);
    expect(err).toContain('RDI_PASSWORD');
  });

  it('that is refused, and a missing one, end with 3; the password is never shown', async () => {
    const { url } = await guarded();
    const wrong = await run(['-v', 'list', '--api-url', url, '--user', 'u', '--password', 'geheim']);
    expect(wrong.code).toBe(3);
    expect(wrong.err).toContain('Wrong user or password. Log in with --user');
    expect(wrong.err + wrong.out).not.toContain('geheim');
    expect((await run(['list', '--api-url', url])).code).toBe(3);
  });

  it('is renewed when the token has run out', async () => {
    const { url, logins } = await guarded(1);
    const api = await connectApi({ terminal: capturedTerminal() }, { apiUrl: url, user: 'u', password: 'right' });
    for (let i = 0; i < 3; i++) expect(await api.get('/api/v2/pipelines')).toEqual([]);
    expect(logins).toHaveLength(3);
  });

  it('is not needed where none is served', async () => {
    const url = await serve((request, response) => {
      const isLogin = request.url === '/api/v1/login';
      response.writeHead(isLogin ? 404 : 200).end(isLogin ? '{"detail":"no"}' : '[]');
    });
    expect((await run(['list', '--api-url', url, '--user', 'u', '--password', 'p'])).code).toBe(0);
  });
});

describe('https', () => {
  it('is refused for an unknown certificate, and works with --cacert or --insecure', async () => {
    const folder = tempFolder();
    const { cert, key } = makeCertificate(folder, '127.0.0.1');
    const files = { cert: readFileSync(cert), key: readFileSync(key) };
    const url = `https://${await listen(createTlsServer(files, (_request, response) => response.end('[]')))}`;
    const refused = await run(['list', '--api-url', url]);
    expect(refused.code).toBe(3);
    expect(refused.err).toContain('--cacert');
    expect((await run(['list', '--api-url', url, '--insecure'])).code).toBe(0);
    expect((await run(['list', '--api-url', url], { env: { RDI_INSECURE: 'true' } })).code).toBe(0);
    const trusted = await run(['list', '--api-url', url, '--cacert', cert]);
    // The certificate has no address in it: with its authority trusted only the name is left to complain about.
    expect(trusted.err).toContain('ERR_TLS_CERT_ALTNAME_INVALID');
    expect((await run(['list', '--api-url', url, '--cacert', join(folder, 'nothing')])).code).toBe(2);
  });
});

describe('answers', () => {
  it('of JSON lines come one by one, however they are cut, and an error in their midst is an error', async () => {
    const url = await serve((request, response) => {
      if (request.url === '/api/bad') {
        response.end('{"a":1}\n{"error":{"detail":"The store failed."}}\n');
        return;
      }
      const bytes = Buffer.from('{"name":"ü"}\n\n{"name":"b"}\n{"name":"end"}');
      for (const byte of bytes) response.write(Buffer.from([byte]));
      response.end();
    });
    const api = await connectApi({ terminal: capturedTerminal() }, { apiUrl: url });
    const names: string[] = [];
    for await (const { name } of api.lines<{ name: string }>('GET', '/api/lines')) names.push(name);
    expect(names).toEqual(['ü', 'b', 'end']);
    const seen: unknown[] = [];
    const read = async () => {
      for await (const line of api.lines('GET', '/api/bad')) seen.push(line);
    };
    await expect(read()).rejects.toThrow('The store failed');
    expect(seen).toEqual([{ a: 1 }]);
  });

  it('that come too late end a change with 4, because it may still happen', async () => {
    const url = await serve(() => {});
    const { code, err } = await run(['start', '--api-url', url, '--timeout', '100ms']);
    expect(code).toBe(4);
    expect(err).toContain('may still be at work');
  });

  it('with several reasons show all of them, each with its remedy', async () => {
    const errors = [
      { code: 'a', message: 'First.', remediation: 'Do this.' },
      { code: 'b', message: 'Second.' },
    ];
    const url = await serve((_request, response) => {
      response.writeHead(422).end(JSON.stringify({ detail: 'It is invalid', errors }));
    });
    const { code, err } = await run(['list', '--api-url', url]);
    expect(code).toBe(1);
    expect(err).toBe('API_REFUSED: It is invalid. \n  First. Do this.\n  Second.\n');
  });

  it.each([
    [401, 3],
    [403, 3],
    [404, 5],
    [409, 1],
    [500, 1],
    [503, 1],
  ])('with status %d give exit code %d', async (status, exitCode) => {
    const url = await serve((_request, response) => response.writeHead(status).end('{"detail":"no"}'));
    const api = await connectApi({ terminal: capturedTerminal() }, { apiUrl: url });
    const error = await api.get('/api/x').catch((reason: unknown) => reason);
    expect(exitCodeOf(error)).toBe(exitCode);
  });
});

describe('waiting', () => {
  /** Answers with one state after the other; the last one stays. */
  const states = (...all: { status: string; current: boolean; errors?: unknown[] }[]) =>
    serve((request, response) => {
      const isStatus = request.url?.endsWith('/status');
      response.end(JSON.stringify(isStatus ? (all.length > 1 ? all.shift() : all[0]) : {}));
    });

  it('goes on until the state is the wanted one and counts', async () => {
    let asked = 0;
    const answers = [
      { status: 'started', current: false },
      { status: 'starting', current: true },
      { status: 'started', current: true },
    ];
    const url = await serve((request, response) => {
      const isStatus = request.url?.endsWith('/status');
      response.end(JSON.stringify(isStatus ? answers[asked++] : {}));
    });
    expect((await run(['start', '--api-url', url])).out).toBe('Pipeline default is started.\n');
    expect(asked).toBe(3);
  });

  it('ends with 1 and the reasons when the pipeline is in error, with 4 when time is over', async () => {
    const failed = await run([
      'start',
      '--api-url',
      await states({ status: 'error', current: true, errors: [{ message: 'No target.' }] }),
    ]);
    expect(failed.code).toBe(1);
    expect(failed.err).toContain('is in error: No target. See rdi status.');
    const late = await run([
      'start',
      '--timeout',
      '300ms',
      '--api-url',
      await states({ status: 'pending', current: true }),
    ]);
    expect(late.code).toBe(4);
    expect(late.err).toContain('is not started after 300 ms but pending');
  });

  it('is left out with --wait=false', async () => {
    const url = await states({ status: 'starting', current: false });
    expect(await run(['start', '--wait=false', '--api-url', url])).toMatchObject({
      code: 0,
      out: 'Pipeline default is being started.\n',
    });
  });
});

describe('contexts', () => {
  const home = (text?: string): Record<string, string> => {
    const folder = tempFolder();
    mkdirSync(folder, { recursive: true });
    if (text !== undefined) writeFileSync(join(folder, '.redis-di'), text);
    return { HOME: folder };
  };

  it('give what options and variables leave open; an address by itself leaves the active one out', async () => {
    const { url, logins } = await guarded();
    const free = await serve((_request, response) => response.end('[]'));
    const env = home(`current-context: a\ncontexts:\n  a: {api-url: "${url}", user: u}\n  b: {api-url: "${free}"}\n`);
    expect((await run(['list'], { env: { ...env, RDI_PASSWORD: 'right' } })).code).toBe(0);
    expect(logins).toEqual([{ username: 'u', password: 'right' }]);
    expect((await run(['list', '--context', 'b'], { env })).code).toBe(0);
    expect((await run(['list'], { env: { ...env, RDI_CONTEXT: 'b' } })).code).toBe(0);
    expect((await run(['list', '--api-url', free], { env })).code).toBe(0);
    expect(logins).toHaveLength(1);
  });

  it('are merged, kept for their owner only, and never hold a password', async () => {
    const env = home();
    await run(['set-context', 'a', '--api-url', 'http://x:1', '--user', 'u', '--insecure'], { env });
    await run(['add-context', 'a', '--cacert', '/ca.pem', '--unset-user'], { env });
    const file = join(env['HOME']!, '.redis-di');
    expect(readFileSync(file, 'utf8')).toBe('contexts:\n  a:\n    api-url: http://x:1\n    cacert: /ca.pem\n');
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect((await run(['set-context', 'b', '--api-url', 'http://u:p@x'], { env })).code).toBe(2);
    expect((await run(['set-context', 'a'], { env })).out).toContain('rdi use-context a');
    expect((await run(['delete-context', 'a'], { env })).code).toBe(2);
    expect((await run(['delete-all-contexts', '-f'], { env })).code).toBe(0);
    expect((await run(['describe-context', 'a'], { env })).code).toBe(5);
  });

  it.each([
    ['- name: prod\n  host: db\n  is_active: true\n'],
    ['contexts:\n  - name: prod\n    is_active: true\n'],
    ['prod:\n  rdi_host: db\n  is_active: true\n'],
  ])('of redis-di up to 1.18 are recognised, with how to convert them', async (text) => {
    const { code, err } = await run(['list'], { env: home(text) });
    expect(code).toBe(2);
    expect(err).toMatch(/redis-di 1\.18 or earlier.*mv .*set-context NAME --api-url/);
  });

  it.each([['a: [b'], ['5'], ['contexts: {a: 5}']])('that make no sense are named: %j', async (text) => {
    expect((await run(['list'], { env: home(text) })).code).toBe(2);
  });
});

describe('confirmation', () => {
  it('goes on with yes only', async () => {
    const url = await serve((_request, response) => response.end('{"status":"started","current":true,"pipeline":{}}'));
    const answer = (text: string) => run(['reset', '--api-url', url], { ask: async () => text });
    expect((await answer('y')).code).toBe(0);
    for (const text of ['', 'n', 'maybe']) {
      expect(await answer(text)).toMatchObject({ code: 130, out: '', err: 'Nothing was changed.\n' });
    }
  });
});

describe('small things', () => {
  it('queries leave out what is undefined', () => {
    expect(withQuery('/a', { b: 1, c: undefined, d: 'x y' })).toBe('/a?b=1&d=x+y');
    expect(withQuery('/a', { c: undefined })).toBe('/a');
  });

  it('JSON is indented without touching a digit', () => {
    expect(indentJson('{"id":9007199254740993,"n":1.0E-300,"t":"a,{\\"b\\"}","e":[],"o":{},"l":[1,[2]]}')).toBe(
      '{\n  "id": 9007199254740993,\n  "n": 1.0E-300,\n  "t": "a,{\\"b\\"}",\n  "e": [],\n  "o": {},\n  "l": [\n    1,\n    [\n      2\n    ]\n  ]\n}',
    );
    expect(indentJson('no json')).toBe('no json');
  });

  it('a live screen shows what fits, cuts lines without breaking colours, and gives the old screen back', () => {
    const terminal = capturedTerminal({ isScreen: true, size: () => ({ columns: 5, rows: 3 }) });
    const screen = new LiveScreen(terminal);
    screen.draw('\u001b[1mabcdefg\u001b[22m\nb\nc\nd\n', 'q');
    screen.close();
    expect(terminal.printed.out).toBe(
      '\u001b[?1049h\u001b[?25l\u001b[H\u001b[1mabcde\u001b[22m\u001b[K\nb\u001b[K\nq  (2\u001b[K\u001b[J\u001b[?25h\u001b[?1049l',
    );
  });
});
