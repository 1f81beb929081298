import { type Command, InvalidArgumentError, Option } from 'commander';
import { ConfigError } from '../errors.ts';
import { formatDuration } from '../lib/plain-words.ts';
import {
  type ApiRequest,
  type ApiResponse,
  type Fetch,
  jsonLines,
  openFetch,
  parseJson,
  refusal,
  unreachable,
} from './api-requests.ts';
import { type ApiOptions, type ApiSettings, DEFAULT_API_URL, resolveApiSettings } from './api-settings.ts';
import type { Context } from './context.ts';
import { ApiError, Interrupted, TimedOut } from './exit-codes.ts';

export type { ApiOptions } from './api-settings.ts';

type Query = Readonly<Record<string, string | number | boolean | readonly string[] | undefined>>;

/** A running rdi. Paths begin with `/api/`. Every method throws ApiError, ConfigError or Interrupted. */
export interface Api {
  /** Where it is, without user and password. */
  readonly address: string;
  get<T>(path: string, query?: Query): Promise<T>;
  /** `timeoutMs` is how long the answer may take, two minutes when it is not given. */
  send<T>(method: 'POST' | 'PUT' | 'PATCH' | 'DELETE', path: string, body?: unknown, timeoutMs?: number): Promise<T>;
  /** An answer of text as it stands, such as metrics. */
  text(path: string): Promise<string>;
  /** An answer of JSON lines, one after the other, as they come. */
  lines<T>(method: 'GET' | 'POST', path: string, body?: unknown, signal?: AbortSignal): AsyncIterable<T>;
}

const READ_MS = 10_000;
const CHANGE_MS = 120_000;
const HEADING = 'Connection options:';

/** Adds the options of {@link ApiOptions} to a command. */
export function withApi(command: Command): Command {
  for (const option of connectionOptions()) command.addOption(option.helpGroup(HEADING));
  return command;
}

/** Whether {@link withApi} was applied: then options that stand before the command's name are meant for it, too. */
export function takesApi(command: Command): boolean {
  return command.options.some(({ helpGroupHeading }) => helpGroupHeading === HEADING);
}

/** RDI's global options. */
export function connectionOptions(): Option[] {
  return [
    new Option('--api-url <url>', `where rdi serves HTTP (variable RDI_API_URL, default ${DEFAULT_API_URL})`),
    new Option('--user <name>', 'log in with this name (variable RDI_USER)'),
    new Option('--password <text>', 'with this password (variable RDI_PASSWORD; else it is asked for)'),
    new Option(
      '--cacert <file>',
      'with https: certificates (PEM) to trust in place of the system’s (variable RDI_CACERT)',
    ),
    new Option('--insecure', 'with https: do not check the certificate (variable RDI_INSECURE)'),
    new Option(
      '--context <name>',
      'take what is not given from this context (variable RDI_CONTEXT, default the active one)',
    ),
    new Option('--log-level <level>', 'DEBUG tells of each request (variable RDI_LOG_LEVEL, default INFO)').argParser(
      logLevel,
    ),
    new Option('-v, --verbose', 'the same as --log-level DEBUG'),
    new Option('--account-key <key>', 'of Redis Cloud').hideHelp(),
    new Option('--user-key <key>', 'of Redis Cloud').hideHelp(),
  ];
}

function logLevel(text: string): string {
  if (/^(trace|debug|info|warn|warning|error|critical)$/i.test(text)) return text;
  throw new InvalidArgumentError('Give TRACE, DEBUG, INFO, WARNING or ERROR.');
}

/** The API that options, variables and the active context name, in this order; logs in where a user is given. */
export async function connectApi({ terminal }: Pick<Context, 'terminal'>, options: ApiOptions): Promise<Api> {
  const settings = await resolveApiSettings(options, terminal.env);
  const connection = new Connection(settings, await openFetch(settings), (text) => {
    if (settings.verbose) terminal.err(`DEBUG ${text}\n`);
  });
  if (settings.user !== undefined) {
    const password = settings.password ?? (await terminal.ask?.(`Password of ${settings.user}: `, { isHidden: true }));
    if (password === undefined) {
      throw new ConfigError('CONFIG_INVALID', `A password is needed to log in as ${settings.user}`, {
        fix: 'Set RDI_PASSWORD or give --password: without a terminal it cannot be asked for.',
      });
    }
    await connection.logIn(settings.user, password);
  }
  return connection;
}

/** `path?a=1&b=2`; undefined values are left out, lists repeat their name. */
export function withQuery(path: string, query: Query = {}): string {
  const given = Object.entries(query).flatMap(([name, value]) =>
    value === undefined ? [] : [value].flat().map((one) => [name, String(one)]),
  );
  return given.length === 0 ? path : `${path}?${new URLSearchParams(given)}`;
}

class Connection implements Api {
  readonly address: string;
  readonly #settings: ApiSettings;
  readonly #fetch: Fetch;
  readonly #debug: (text: string) => void;
  #authorization: string | undefined;
  #renew: (() => Promise<void>) | undefined;

  constructor(settings: ApiSettings, fetch: Fetch, debug: (text: string) => void) {
    this.address = settings.base;
    this.#settings = settings;
    this.#fetch = fetch;
    this.#debug = debug;
    this.#authorization = settings.proxyLogin;
  }

  /** Gets a token (`POST /api/v1/login`). Where login is not served none is needed: rdi then asks nobody for one. */
  async logIn(username: string, password: string): Promise<void> {
    const signal = AbortSignal.timeout(READ_MS);
    const request = { method: 'POST', path: '/api/v1/login', body: { username, password }, signal } as const;
    const [response, text] = await this.#exchange(request);
    if (response.status === 404) {
      this.#debug('there is no login here; going on without');
      return;
    }
    if (!response.ok) throw refusal(response.status, text, this.address);
    const { access_token: token } = this.#parse(text, response.status) as { access_token?: string };
    if (typeof token !== 'string') throw unreachable(this.address, 'its login gives no token');
    this.#authorization = `Bearer ${token}`;
    this.#renew = () => this.logIn(username, password);
  }

  get<T>(path: string, query?: Query): Promise<T> {
    return this.#json<T>('GET', withQuery(path, query), undefined, READ_MS);
  }

  send<T>(
    method: 'POST' | 'PUT' | 'PATCH' | 'DELETE',
    path: string,
    body?: unknown,
    timeoutMs = CHANGE_MS,
  ): Promise<T> {
    return this.#json<T>(method, path, body, timeoutMs);
  }

  async text(path: string): Promise<string> {
    const [response, text] = await this.#authorized({ method: 'GET', path }, READ_MS);
    if (!response.ok) throw refusal(response.status, text, this.address);
    return text;
  }

  async *lines<T>(method: 'GET' | 'POST', path: string, body?: unknown, signal?: AbortSignal): AsyncGenerator<T> {
    const request = { method, path, body, ...(signal === undefined ? {} : { signal }) };
    const response = await this.#ask(request);
    if (!response.ok) throw refusal(response.status, await response.text(), this.address);
    if (response.body === null) return;
    try {
      for await (const line of jsonLines<T>(response.body)) {
        // An error after the beginning comes as a line of its own: the status is out by then.
        const failure = (line as { error?: { detail?: unknown } } | null)?.error;
        if (typeof failure?.detail === 'string') throw refusal(500, JSON.stringify(failure), this.address);
        yield line;
      }
    } catch (error) {
      if (error instanceof ApiError) throw error;
      if (signal?.aborted) throw asInterrupted(signal.reason);
      throw unreachable(this.address, `the answer ended too early: ${reasonOf(error, 0)}`, error);
    }
  }

  async #json<T>(method: ApiRequest['method'], path: string, body: unknown, timeoutMs: number): Promise<T> {
    const [response, text] = await this.#authorized({ method, path, body }, timeoutMs);
    if (!response.ok) throw refusal(response.status, text, this.address);
    return this.#parse(text, response.status) as T;
  }

  async #authorized(request: ApiRequest, timeoutMs: number): Promise<[ApiResponse, string]> {
    const limited = () => this.#exchange({ ...request, signal: AbortSignal.timeout(timeoutMs) }, timeoutMs);
    const first = await limited();
    if (first[0].status !== 401 || this.#renew === undefined) return first;
    // The token has run out, as it does while somebody watches for an hour.
    await this.#renew();
    return limited();
  }

  #parse(text: string, status: number): unknown {
    if (text === '') return null;
    const answer = parseJson(text);
    if (answer === undefined)
      throw unreachable(this.address, `what answers there is not rdi (HTTP ${status}, no JSON)`);
    return answer;
  }

  async #exchange(request: ApiRequest, timeoutMs = READ_MS): Promise<[ApiResponse, string]> {
    const response = await this.#ask(request, timeoutMs);
    try {
      return [response, await response.text()];
    } catch (error) {
      throw this.#failure(request, error, timeoutMs);
    }
  }

  async #ask(request: ApiRequest, timeoutMs = READ_MS): Promise<ApiResponse> {
    const startedAt = performance.now();
    const headers = this.#authorization === undefined ? {} : { authorization: this.#authorization };
    try {
      const response = await this.#fetch({ ...request, headers });
      const { base } = this.#settings;
      this.#debug(
        `${request.method} ${base}${request.path}: ${response.status} in ${Math.round(performance.now() - startedAt)} ms`,
      );
      return response;
    } catch (error) {
      throw this.#failure(request, error, timeoutMs);
    }
  }

  #failure(request: ApiRequest, error: unknown, timeoutMs: number): Error {
    const { method, signal } = request;
    if (signal?.aborted && signal.reason instanceof Interrupted) return signal.reason;
    if (method !== 'GET' && error instanceof Error && error.name === 'TimeoutError') {
      const limit = formatDuration(timeoutMs);
      return new TimedOut(`${this.address} has not answered within ${limit} and may still be at work. See rdi status.`);
    }
    return unreachable(this.address, reasonOf(error, timeoutMs), error);
  }
}

function asInterrupted(reason: unknown): Interrupted {
  return reason instanceof Interrupted ? reason : new Interrupted('interrupted');
}

function reasonOf(error: unknown, timeoutMs: number): string {
  if (error instanceof ApiError) return error.message;
  if (!(error instanceof Error)) return String(error);
  if (error.name === 'TimeoutError') return `no answer within ${timeoutMs / 1000} s`;
  const cause = error.cause as NodeJS.ErrnoException | undefined;
  // Codes of the HTTP client: something listens there and speaks another language.
  if (/^(?:UND_ERR_SOCKET|HPE_)/.test(cause?.code ?? ''))
    return `what listens there does not speak HTTP (${cause?.code})`;
  return certificateReason(cause?.code) ?? cause?.code ?? cause?.message ?? error.message;
}

/** What to do about a certificate that is not trusted; undefined for any other reason. */
function certificateReason(code: string | undefined): string | undefined {
  if (code === undefined || !/CERT|SIGNED|ISSUER/.test(code)) return undefined;
  return `its certificate is not trusted (${code}); name its authority with --cacert, or accept it with --insecure`;
}
