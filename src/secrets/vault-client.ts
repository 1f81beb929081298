import { readFileSync } from 'node:fs';
import type { Agent, Dispatcher } from 'undici';
import type { VaultSettings } from '../config/index.ts';

/** What a path of Vault holds. */
export interface VaultContent {
  readonly fields: ReadonlyMap<string, string>;
  /** How long it is valid, for credentials that Vault makes for us; undefined for what is only stored. */
  readonly leaseMs: number | undefined;
}

/** Vault refused or could not be reached. The message holds no value. */
export class VaultError extends Error {
  /** HTTP status; 0 when nothing answered, -1 when nothing could be asked. */
  readonly status: number;

  constructor(message: string, status: number, cause?: unknown) {
    super(message, cause === undefined ? {} : { cause });
    this.status = status;
  }
}

interface Token {
  readonly value: string;
  /** When to renew it; undefined: never. Milliseconds of `now`. */
  readonly renewAt: number | undefined;
  readonly isRenewable: boolean;
}

const ANSWER_MS = 5000;
const MAX_REDIRECTS = 2;

/** The part of an answer of Vault's API v1 that is used. */
interface Answer {
  readonly data?: unknown;
  readonly auth?: { client_token?: unknown; lease_duration?: unknown; renewable?: unknown } | null;
  readonly lease_id?: unknown;
  readonly lease_duration?: unknown;
  readonly errors?: unknown;
}

/**
 * Reads secrets over Vault's HTTP API v1. Logs in when it first needs to, renews its token when two thirds of its time are over,
 * and logs in again when it is refused. A standby's redirect is followed, but not from https to http.
 */
export class VaultClient {
  readonly #settings: VaultSettings;
  readonly #now: () => number;
  readonly #resolved = new Map<string, string>();
  #agent: Agent | undefined;
  #token: Token | undefined;

  constructor(settings: VaultSettings, now: () => number) {
    this.#settings = settings;
    this.#now = now;
  }

  /** Where it is, for messages. */
  get address(): string {
    return this.#settings.address;
  }

  /**
   * Reads `path`, of a KV engine version 1 or 2 or of an engine that makes credentials. Resolves to null when nothing is there.
   * Throws {@link VaultError}.
   */
  async read(path: string): Promise<VaultContent | null> {
    const known = this.#resolved.get(path) ?? path;
    const found = await this.#readExactly(known);
    if (found !== null || known !== path) return found;
    const data = await this.#dataPath(path);
    if (data === null) return null;
    this.#resolved.set(path, data);
    return this.#readExactly(data);
  }

  async close(): Promise<void> {
    await this.#agent?.destroy();
  }

  async #readExactly(path: string): Promise<VaultContent | null> {
    try {
      const { data, lease_id: lease, lease_duration: seconds } = await this.#call('GET', path);
      const isLeased = typeof lease === 'string' && lease !== '' && typeof seconds === 'number' && seconds > 0;
      return { fields: fieldsOf(data), leaseMs: isLeased ? seconds * 1000 : undefined };
    } catch (error) {
      if (error instanceof VaultError && error.status === 404) return null;
      throw error;
    }
  }

  /**
   * Vault's command line names a secret of a KV engine version 2 without the `data` that the API wants; like it, this asks which
   * engine is there. Null when that is not the reason why nothing was found.
   */
  async #dataPath(path: string): Promise<string | null> {
    try {
      const { data } = await this.#call('GET', `sys/internal/ui/mounts/${path}`);
      const { path: mount, options } = asMap(data);
      if (typeof mount !== 'string' || asMap(options)['version'] !== '2' || !path.startsWith(mount)) return null;
      const rest = path.slice(mount.length);
      return rest.startsWith('data/') ? null : `${mount}data/${rest}`;
    } catch (error) {
      if (error instanceof VaultError && error.status >= 400 && error.status < 500) return null;
      throw error;
    }
  }

  /** A request with a token; with a fresh one when it is refused. */
  async #call(method: 'GET' | 'POST', path: string): Promise<Answer> {
    const token = await this.#validToken();
    try {
      return await this.#send(method, path, token);
    } catch (error) {
      const isRefused = error instanceof VaultError && (error.status === 403 || error.status === 401);
      if (!isRefused || this.#token === undefined) throw error;
      this.#token = undefined;
      const fresh = await this.#validToken();
      if (fresh === token) throw error;
      return this.#send(method, path, fresh);
    }
  }

  async #validToken(): Promise<string> {
    const { login } = this.#settings;
    if (login === undefined) {
      throw new VaultError('there is no login: set `token`, `token_file`, `role_id` or `kubernetes_role`', -1);
    }
    // Whoever writes the file renews the token in it.
    if (login.kind === 'token' && login.token === undefined) return readText(login.file ?? '');
    if (this.#token?.renewAt !== undefined && this.#now() >= this.#token.renewAt) await this.#renew(this.#token);
    this.#token ??= await this.#logIn();
    return this.#token.value;
  }

  async #renew(token: Token): Promise<void> {
    this.#token = undefined;
    if (!token.isRenewable) {
      // A given token cannot be replaced by us; until it is refused it goes on.
      if (this.#settings.login?.kind === 'token') this.#token = { ...token, renewAt: undefined };
      return;
    }
    try {
      this.#token = this.#tokenOf(await this.#send('POST', 'auth/token/renew-self', token.value, {}));
    } catch (error) {
      const isRefusal = error instanceof VaultError && error.status >= 400 && error.status < 500;
      if (!isRefusal) this.#token = token;
      if (!isRefusal || this.#settings.login?.kind === 'token') throw error;
    }
  }

  async #logIn(): Promise<Token> {
    const { login } = this.#settings;
    if (login?.kind === 'approle') {
      const { roleId, secretId, secretIdFile, mount } = login;
      const secret = secretIdFile === undefined ? secretId : readText(secretIdFile);
      const body = { role_id: roleId, ...(secret === undefined ? {} : { secret_id: secret }) };
      return this.#tokenOf(await this.#send('POST', `auth/${mount}/login`, undefined, body));
    }
    if (login?.kind === 'kubernetes') {
      const body = { role: login.role, jwt: readText(login.jwtFile) };
      return this.#tokenOf(await this.#send('POST', `auth/${login.mount}/login`, undefined, body));
    }
    return this.#givenToken(login?.token ?? '');
  }

  /** What Vault knows of a token that was given to us. Its policy may forbid to ask; then it is used as it is. */
  async #givenToken(value: string): Promise<Token> {
    try {
      const { data } = await this.#send('GET', 'auth/token/lookup-self', value);
      const { ttl, renewable } = asMap(data);
      return this.#newToken(value, ttl, renewable);
    } catch (error) {
      if (error instanceof VaultError && error.status === 403) return this.#newToken(value, 0, false);
      throw error;
    }
  }

  #tokenOf({ auth }: Answer): Token {
    if (typeof auth?.client_token !== 'string') throw new VaultError('its login answered without a token', 0);
    return this.#newToken(auth.client_token, auth.lease_duration, auth.renewable);
  }

  #newToken(value: string, seconds: unknown, renewable: unknown): Token {
    const ms = typeof seconds === 'number' && seconds > 0 ? seconds * 1000 : undefined;
    return {
      value,
      renewAt: ms === undefined ? undefined : this.#now() + (ms * 2) / 3,
      isRenewable: renewable === true,
    };
  }

  async #send(method: 'GET' | 'POST', path: string, token: string | undefined, body?: object): Promise<Answer> {
    const { address, namespace } = this.#settings;
    const headers = {
      'x-vault-request': 'true',
      ...(token === undefined ? {} : { 'x-vault-token': token }),
      ...(namespace === undefined ? {} : { 'x-vault-namespace': namespace }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    };
    let url = `${address}/v1/${path.split('/').map(encodeURIComponent).join('/')}`;
    for (let redirects = 0; ; redirects++) {
      const response = await this.#request(url, { method, headers, ...(body ? { body: JSON.stringify(body) } : {}) });
      const { location } = response.headers;
      if (![301, 302, 307, 308].includes(response.statusCode) || typeof location !== 'string') {
        return readAnswer(response);
      }
      await response.body.dump();
      const next = URL.parse(location, url);
      const isSafe = next !== null && (next.protocol === 'https:' || next.protocol === new URL(url).protocol);
      if (!isSafe || redirects >= MAX_REDIRECTS) throw new VaultError('its redirect cannot be followed', 0);
      url = next.href;
    }
  }

  async #request(url: string, options: { method: 'GET' | 'POST'; headers: Record<string, string>; body?: string }) {
    const undici = await import('undici');
    const { ca } = this.#settings;
    this.#agent ??= new undici.Agent({ connect: { timeout: ANSWER_MS, ...(ca === undefined ? {} : { ca }) } });
    try {
      const signal = AbortSignal.timeout(ANSWER_MS);
      return await undici.request(url, { ...options, dispatcher: this.#agent, signal });
    } catch (error) {
      throw new VaultError(reasonOf(error), 0, error);
    }
  }
}

async function readAnswer({ statusCode, body }: Dispatcher.ResponseData): Promise<Answer> {
  let answer: Answer;
  try {
    const text = await body.text();
    answer = text === '' ? {} : (asMap(JSON.parse(text)) as Answer);
  } catch (error) {
    throw new VaultError(`its answer (HTTP ${statusCode}) is no JSON`, statusCode === 200 ? 0 : statusCode, error);
  }
  if (statusCode >= 200 && statusCode < 300) return answer;
  const errors = Array.isArray(answer.errors) ? answer.errors.filter((one) => typeof one === 'string') : [];
  const said = errors.join('; ').replaceAll(/\s+/g, ' ').slice(0, 200);
  throw new VaultError(`it answers HTTP ${statusCode}${said === '' ? '' : ` (${said})`}`, statusCode);
}

/** Version 2 of the KV engine wraps the fields together with metadata; version 1 and other engines do not. */
function fieldsOf(data: unknown): Map<string, string> {
  const outer = asMap(data);
  const isWrapped = 'version' in asMap(outer['metadata']) && 'data' in outer;
  const fields = isWrapped ? asMap(outer['data']) : outer;
  const texts = Object.entries(fields).flatMap(([name, value]): [string, string][] => {
    if (value === null || value === undefined) return [];
    return [[name, typeof value === 'string' ? value : JSON.stringify(value)]];
  });
  return new Map(texts);
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new VaultError(`its login file ${file} cannot be read: ${code ?? 'unknown reason'}`, -1, error);
  }
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return 'it cannot be reached';
  if (error.name === 'TimeoutError') return `it does not answer within ${ANSWER_MS / 1000} s`;
  const { code } = error as NodeJS.ErrnoException;
  return `it cannot be reached: ${code ?? error.name}`;
}

function asMap(value: unknown): Record<string, unknown> {
  return value !== null && typeof value === 'object' && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
}
