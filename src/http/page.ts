/**
 * Serves the web page: `/` and the files it names. Nothing of it is secret, so no login is needed to read it; everything it
 * shows comes from the API, which asks for one.
 */
import { createHash } from 'node:crypto';
import { extname } from 'node:path';
import { gunzipSync } from 'node:zlib';
import type { FastifyInstance, FastifyReply, FastifyRequest } from './api.ts';
import { type PageFile, readPageFiles } from './page-files.ts';

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};

/** Own scripts, styles and images, requests to this address, and nothing else: text that slipped through runs nowhere. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const HEADERS: Readonly<Record<string, string>> = {
  'content-security-policy': POLICY,
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  vary: 'accept-encoding',
};

const NOT_BUILT =
  'The web page is not built. Run ./scripts/build, or vite build --config vite.ui.config.ts, and load this again. The API is described at /api/docs.\n';

interface ServedFile extends PageFile {
  readonly type: string;
  readonly etag: string;
}

/** Adds `/` and the page's files. They are read at the first request and kept. */
export function addPage(app: FastifyInstance): void {
  let loading: Promise<ReadonlyMap<string, ServedFile>> | undefined;
  const serve = async (name: string, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    loading ??= loadFiles();
    const files = await loading;
    // Somebody may build it while rdi runs.
    if (files.size === 0) loading = undefined;
    if (files.size === 0) return reply.code(404).type('text/plain; charset=utf-8').send(NOT_BUILT);
    const file = files.get(name);
    return file
      ? send(file, request, reply)
      : reply.code(404).send({ detail: `The page has no file ${name}. Load / again.` });
  };
  app.get('/', (request, reply) => serve('index.html', request, reply));
  app.get<{ Params: { '*': string } }>('/assets/*', (request, reply) =>
    serve(`assets/${request.params['*']}`, request, reply),
  );
}

async function loadFiles(): Promise<ReadonlyMap<string, ServedFile>> {
  const files = await readPageFiles();
  return new Map(
    files.map((file) => {
      const etag = `"${createHash('sha256').update(file.gzipped).digest('base64url').slice(0, 22)}"`;
      return [file.name, { ...file, etag, type: TYPES[extname(file.name)] ?? 'application/octet-stream' }];
    }),
  );
}

function send(file: ServedFile, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  // Names under assets/ hold a hash of the content.
  const lasting = file.name.startsWith('assets/') ? 'public, max-age=31536000, immutable' : 'no-cache';
  reply.headers({ ...HEADERS, etag: file.etag, 'cache-control': lasting }).type(file.type);
  const known = (request.headers['if-none-match'] ?? '').split(/\s*,\s*/).map((tag) => tag.replace(/^W\//, ''));
  if (known.includes(file.etag)) return reply.code(304).send();
  return acceptsGzip(request)
    ? reply.header('content-encoding', 'gzip').send(file.gzipped)
    : reply.send(gunzipSync(file.gzipped));
}

function acceptsGzip({ headers }: FastifyRequest): boolean {
  return /(^|[,\s])(gzip|\*)\s*(;\s*q=(1(\.0*)?|0\.\d*[1-9]\d*))?\s*(,|$)/i.test(`${headers['accept-encoding'] ?? ''}`);
}
