import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeAll, expect, test } from 'vitest';
import { type EndpointWorld, startEndpoint } from '../../helpers/endpoint.ts';
import { tempFolder } from '../../helpers/temp-folder.ts';

const folder = tempFolder();
let world: EndpointWorld | undefined;

afterEach(async () => {
  await world?.close();
  world = undefined;
});

const read = (name: string) => readFileSync(join(folder, name), 'utf8');

function openssl(...args: string[]): void {
  execFileSync('openssl', args, { stdio: 'ignore', timeout: 20_000, cwd: folder });
}

/** A certificate authority, and a certificate that it signed. */
function makeAuthority(name: string): void {
  openssl(
    'req',
    '-x509',
    '-newkey',
    'rsa:2048',
    '-nodes',
    '-keyout',
    `${name}.key`,
    '-out',
    `${name}.crt`,
    '-days',
    '2',
    '-subj',
    `/CN=${name}`,
  );
}

function makeSigned(name: string, authority: string): void {
  openssl(
    'req',
    '-newkey',
    'rsa:2048',
    '-nodes',
    '-keyout',
    `${name}.key`,
    '-out',
    `${name}.csr`,
    '-subj',
    `/CN=${name}`,
  );
  openssl(
    'x509',
    '-req',
    '-in',
    `${name}.csr`,
    '-CA',
    `${authority}.crt`,
    '-CAkey',
    `${authority}.key`,
    '-CAcreateserial',
    '-out',
    `${name}.crt`,
    '-days',
    '2',
    '-extfile',
    'names',
  );
}

beforeAll(() => {
  writeFileSync(join(folder, 'names'), 'subjectAltName=IP:127.0.0.1\n');
  makeAuthority('authority');
  makeAuthority('stranger');
  makeSigned('server', 'authority');
  makeSigned('client', 'authority');
  makeSigned('foreign', 'stranger');
});

async function start(clientCertificates: 'none' | 'optional' | 'required'): Promise<EndpointWorld> {
  const tls = {
    cert: read('server.crt'),
    key: read('server.key'),
    clientCa: read('authority.crt'),
    clientCertificates,
  };
  world = await startEndpoint({ endpoint: { tls } });
  return world;
}

const trust = () => ({ ca: read('authority.crt') });
const certificateOf = (name: string) => ({ ...trust(), cert: read(`${name}.crt`), key: read(`${name}.key`) });

test.each(['TLSv1.2', 'TLSv1.3'] as const)('a feeder appends over %s', async (version) => {
  const { client } = await start('none');
  const one = await client({ ...trust(), minVersion: version, maxVersion: version });
  expect(await one.ask('PING')).toBe('+PONG\r\n');
  expect(await one.ask('XADD', 'data:s', '*', 'a', 'x'.repeat(300_000))).toMatch(/^\$\d+\r\n\d+-\d+\r\n$/);
});

test('plain text on a TLS port, and a client that gives up the handshake, harm nobody', async () => {
  const { client, notices } = await start('none');
  const plain = await client();
  plain.send('PING\r\n');
  expect(await plain.rest()).not.toContain('PONG');
  await expect(client({ ca: read('stranger.crt') })).rejects.toThrow();
  expect(await (await client(trust())).ask('PING')).toBe('+PONG\r\n');
  expect(notices.join()).toContain('A TLS connection was refused');
});

test('where a client certificate is required, only one of the named authority is served', async () => {
  const { client } = await start('required');
  expect(await (await client(certificateOf('client'))).ask('PING')).toBe('+PONG\r\n');
  for (const options of [trust(), certificateOf('foreign')]) {
    // With TLS 1.3 the refusal comes only after the client's side of the handshake.
    const answered = client(options).then((one) => one.ask('PING'));
    await expect(answered).rejects.toThrow();
  }
});

test('where a client certificate is optional, clients without one are served, with a bad one they are not', async () => {
  const { client, notices } = await start('optional');
  const answered = client(certificateOf('foreign')).then((one) => one.ask('PING'));
  await expect(answered).rejects.toThrow();
  expect(notices.join()).toContain('A TLS connection was refused');
  expect(await (await client(certificateOf('client'))).ask('PING')).toBe('+PONG\r\n');
  expect(await (await client(trust())).ask('PING')).toBe('+PONG\r\n');
});
