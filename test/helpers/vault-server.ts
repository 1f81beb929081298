/**
 * A server that answers as HashiCorp Vault's HTTP API v1 documents it, as far as reading secrets needs: token lookup and renewal,
 * AppRole and Kubernetes logins, KV version 1 and 2, the preflight of the command line, and credentials with a lease.
 */
import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';

export interface VaultServerOptions {
  /** PEM texts; with them it speaks TLS. */
  readonly tls?: { readonly cert: string; readonly key: string };
  readonly namespace?: string;
  /** Where it listens; a free port without it. */
  readonly port?: number;
}

interface IssuedToken {
  ttl: number;
  expiresAt: number;
  renewable: boolean;
}

interface Request {
  readonly method: string;
  readonly path: string;
  readonly token: string;
  readonly body: Record<string, unknown>;
}

type Answer = readonly [status: number, body: object];

const NOT_FOUND: Answer = [404, { errors: [] }];
const DENIED: Answer = [403, { errors: ['permission denied'] }];

export class VaultServer {
  /** `METHOD path` of every request, in order. */
  readonly requests: string[] = [];
  /** Secrets of the KV engine version 2 mounted at `secret/`; null is a deleted version. */
  readonly kv2 = new Map<string, Record<string, unknown> | null>();
  /** Secrets of the KV engine version 1 mounted at `kv/`. */
  readonly kv1 = new Map<string, Record<string, unknown>>();
  readonly tokens = new Map<string, IssuedToken>();
  readonly appRoles = new Map<string, string>([['role-1', 'secret-id-1']]);
  /** Service account tokens by role. */
  readonly kubernetesRoles = new Map<string, string>([['rdi', 'jwt-1']]);
  /** Seconds that issued tokens live. */
  tokenTtl = 3600;
  /** Seconds of the lease of `database/creds/…`. */
  leaseSeconds = 2;
  isSealed = false;
  /** Where a standby redirects to. */
  redirect: string | undefined;
  readonly #options: VaultServerOptions;
  #server: Server | undefined;
  #issued = 0;
  #port = 0;

  constructor(options: VaultServerOptions = {}) {
    this.#options = options;
    this.#port = options.port ?? 0;
  }

  get address(): string {
    return `${this.#options.tls ? 'https' : 'http'}://127.0.0.1:${this.#port}`;
  }

  async listen(): Promise<void> {
    const { tls } = this.#options;
    const handler: RequestListener = (request, response) => void this.#serve(request, response);
    const server = tls ? createTlsServer({ cert: tls.cert, key: tls.key }, handler) : createServer(handler);
    this.#server = server;
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(this.#port, '127.0.0.1', resolve);
    });
    this.#port = (server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (server === undefined) return;
    server.closeAllConnections();
    await new Promise<void>((resolve) => {
      server.close(() => resolve());
    });
  }

  issue(renewable = true): string {
    const token = `hvs.issued-${++this.#issued}`;
    this.tokens.set(token, { ttl: this.tokenTtl, expiresAt: Date.now() + this.tokenTtl * 1000, renewable });
    return token;
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const text = Buffer.concat(chunks).toString();
    const path = decodeURIComponent((request.url ?? '').replace(/^\/v1\//, ''));
    this.requests.push(`${request.method} ${path}`);
    if (this.redirect !== undefined) {
      response.writeHead(307, { location: this.redirect + (request.url ?? '') }).end();
      return;
    }
    const [status, body] = this.#answer(request, {
      method: request.method ?? '',
      path,
      token: String(request.headers['x-vault-token'] ?? ''),
      body: text === '' ? {} : JSON.parse(text),
    });
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ request_id: 'r', lease_id: '', lease_duration: 0, renewable: false, ...body }));
  }

  #answer({ headers }: IncomingMessage, request: Request): Answer {
    if (this.isSealed) return [503, { errors: ['Vault is sealed'] }];
    if (headers['x-vault-request'] !== 'true') return [400, { errors: ['missing X-Vault-Request header'] }];
    if ((headers['x-vault-namespace'] ?? undefined) !== this.#options.namespace) return NOT_FOUND;
    const { method, path, token } = request;
    if (method === 'POST' && path.startsWith('auth/') && path.endsWith('/login')) return this.#logIn(request);
    const known = this.tokens.get(token);
    if (known === undefined || known.expiresAt <= Date.now()) return DENIED;
    if (method === 'POST' && path === 'auth/token/renew-self') return this.#renew(token, known);
    if (method !== 'GET') return [405, { errors: ['unsupported operation'] }];
    if (path === 'auth/token/lookup-self') {
      const ttl = Math.ceil((known.expiresAt - Date.now()) / 1000);
      return [200, { data: { id: token, ttl, renewable: known.renewable } }];
    }
    return this.#read(path);
  }

  #logIn({ path, body }: Request): Answer {
    if (path === 'auth/approle/login' || path === 'auth/machines/login') {
      if (this.appRoles.get(String(body['role_id'])) !== body['secret_id']) {
        return [400, { errors: ['invalid role or secret ID'] }];
      }
    } else if (path === 'auth/kubernetes/login') {
      if (this.kubernetesRoles.get(String(body['role'])) !== body['jwt']) return DENIED;
    } else {
      return DENIED;
    }
    const auth = { client_token: this.issue(), lease_duration: this.tokenTtl, renewable: true };
    return [200, { auth }];
  }

  #renew(token: string, known: IssuedToken): Answer {
    if (!known.renewable) return [400, { errors: ['lease is not renewable'] }];
    known.expiresAt = Date.now() + known.ttl * 1000;
    return [200, { auth: { client_token: token, lease_duration: known.ttl, renewable: true } }];
  }

  #read(path: string): Answer {
    if (path.startsWith('sys/internal/ui/mounts/secret/')) {
      return [200, { data: { path: 'secret/', type: 'kv', options: { version: '2' } } }];
    }
    if (path.startsWith('sys/internal/ui/mounts/kv/')) {
      return [200, { data: { path: 'kv/', type: 'kv', options: { version: '1' } } }];
    }
    if (path.startsWith('secret/data/')) {
      const data = this.kv2.get(path.slice('secret/data/'.length));
      if (data === undefined) return NOT_FOUND;
      const metadata = { version: 3, created_time: '2026-11-23T10:00:00Z', destroyed: false };
      const deleted = { ...metadata, deletion_time: '2026-11-23T11:00:00Z' };
      return data === null
        ? [404, { data: { data: null, metadata: deleted } }]
        : [200, { data: { data, metadata: { ...metadata, deletion_time: '' } } }];
    }
    if (path.startsWith('secret/')) {
      const warning = 'Invalid path for a versioned K/V secrets engine.';
      return [404, { errors: [], warnings: [warning] }];
    }
    if (path.startsWith('database/creds/')) {
      const lease = { lease_id: `${path}/l${++this.#issued}`, lease_duration: this.leaseSeconds, renewable: true };
      return [200, { ...lease, data: { username: 'v-rdi', password: `made-${this.#issued}` } }];
    }
    const data = path.startsWith('kv/') ? this.kv1.get(path.slice('kv/'.length)) : undefined;
    return data === undefined ? DENIED : [200, { lease_duration: 2_764_800, data }];
  }
}
