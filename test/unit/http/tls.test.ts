import { copyFileSync, readFileSync } from 'node:fs';
import { request } from 'node:https';
import type { TLSSocket } from 'node:tls';
import { afterEach, describe, expect, it } from 'vitest';
import { followCertificate } from '../../../src/http/tls.ts';
import { serve, type TestServer } from '../../helpers/http-server.ts';
import { makeCertificate } from '../config/certificates.ts';
import { folderWith } from '../config/files.ts';

let server: TestServer | undefined;

afterEach(() => server?.close());

/** Status of an answer, and the fingerprint of the certificate that came with it. */
function get(url: string, headers: Record<string, string> = {}): Promise<{ status: number; fingerprint: string }> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { rejectUnauthorized: false, agent: false, headers }, (response) => {
      const { fingerprint256 } = (response.socket as TLSSocket).getPeerCertificate();
      response.resume();
      resolve({ status: response.statusCode ?? 0, fingerprint: fingerprint256 });
    });
    sent.on('error', reject).end();
  });
}

function certificateIn(folder: string) {
  const { cert: certFile, key: keyFile } = makeCertificate(folder);
  return { certFile, keyFile, cert: readFileSync(certFile, 'utf8'), key: readFileSync(keyFile, 'utf8') };
}

describe('HTTPS', () => {
  it('serves the API, to pages of its own address too', async () => {
    const tls = certificateIn(folderWith({}));
    server = await serve(undefined, { tls });
    expect((await get(`${server.url}/api/v2/info`)).status).toBe(200);
    const { host } = new URL(server.url);
    expect((await get(`${server.url}/api/v2/info`, { origin: `https://${host}` })).status).toBe(200);
    expect((await get(`${server.url}/api/v2/info`, { origin: `http://${host}` })).status).toBe(403);
  });
});

describe('a renewed certificate', () => {
  it('is taken up when its files change; one that does not fit its key is told, and the old one stays', async () => {
    const [folder, next] = [folderWith({}), folderWith({})];
    const [tls, renewed] = [certificateIn(folder), certificateIn(next)];
    const taken: string[] = [];
    const errors: Error[] = [];
    const target = { setSecureContext: ({ cert }: { cert?: unknown }) => taken.push(String(cert)) };
    const stop = followCertificate(target as never, tls, (error) => errors.push(error), 5);
    const until = async (isDone: () => boolean) => {
      for (let i = 0; i < 400 && !isDone(); i++) await new Promise((resolve) => setTimeout(resolve, 5));
      expect(isDone()).toBe(true);
    };
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(taken).toEqual([]);
    copyFileSync(renewed.certFile, tls.certFile);
    await until(() => errors.length === 1);
    expect(taken).toEqual([]);
    expect(errors[0]?.message).toContain(tls.certFile);
    copyFileSync(renewed.keyFile, tls.keyFile);
    await until(() => taken.length > 0);
    expect(taken.at(-1)).toBe(renewed.cert);
    stop();
  });
});
