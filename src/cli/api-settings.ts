import { readFile } from 'node:fs/promises';
import { ConfigError } from '../errors.ts';
import { type ApiContext, contextNamed, readContexts } from './contexts-file.ts';
import type { Terminal } from './terminal.ts';

export const DEFAULT_API_URL = 'http://127.0.0.1:8080';

/** How a command reaches a running rdi: RDI's global options, by commander's names. */
export interface ApiOptions {
  readonly apiUrl?: string;
  readonly user?: string;
  readonly password?: string;
  readonly cacert?: string;
  readonly insecure?: boolean;
  /** Name of a context in `~/.redis-di`. */
  readonly context?: string;
  /** Of Redis Cloud; refused. */
  readonly accountKey?: string;
  readonly userKey?: string;
  readonly logLevel?: string;
  readonly verbose?: boolean;
}

/** What options, variables and context say together. */
export interface ApiSettings {
  /** Without user, and without a slash at its end. */
  readonly base: string;
  /** For a proxy in front of rdi: the user that stands in the URL. */
  readonly proxyLogin: string | undefined;
  /** Undefined: no login. */
  readonly user: string | undefined;
  /** Undefined: to be asked for. */
  readonly password: string | undefined;
  /** PEM text of the certificates to trust in place of the system's. */
  readonly ca: string | undefined;
  readonly insecure: boolean;
  /** Tell of each request on standard error. */
  readonly verbose: boolean;
}

/**
 * Option before variable before context. An address that is given by itself leaves the active context out, so that its
 * user is not sent elsewhere; a context that is named counts for what options and variables leave open.
 *
 * @throws ConfigError for options that exclude each other, an address that is no URL, an unknown context, an unreadable file
 */
export async function resolveApiSettings(options: ApiOptions, env: Terminal['env']): Promise<ApiSettings> {
  refuseContradictions(options);
  const url = options.apiUrl ?? variable(env, 'RDI_API_URL');
  const context = await chooseContext(options.context ?? variable(env, 'RDI_CONTEXT'), url !== undefined, env);
  if (context['account-key'] !== undefined && options.user === undefined) throw noRedisCloud('The context');
  const trust = trustOf(options, env, context);
  return {
    ...parseApiUrl(url ?? context['api-url'] ?? DEFAULT_API_URL),
    user: options.user ?? variable(env, 'RDI_USER') ?? context.user,
    password: options.password ?? variable(env, 'RDI_PASSWORD'),
    ca: trust.cacert === undefined ? undefined : await readCertificates(trust.cacert),
    insecure: trust.insecure,
    verbose: options.verbose === true || /^(debug|trace)$/i.test(options.logLevel ?? env['RDI_LOG_LEVEL'] ?? ''),
  };
}

/** @throws ConfigError for options that exclude each other */
export function refuseContradictions({ user, accountKey, userKey, cacert, insecure }: ApiOptions): void {
  const pairs: [boolean, string][] = [
    [user !== undefined && (accountKey ?? userKey) !== undefined, '--user and --account-key exclude each other'],
    [cacert !== undefined && insecure === true, '--cacert and --insecure exclude each other'],
  ];
  for (const [isWrong, what] of pairs) {
    if (isWrong) throw new ConfigError('CONFIG_INVALID', what, { fix: 'Leave one of them out.' });
  }
  if ((accountKey ?? userKey) !== undefined) throw noRedisCloud('--account-key');
}

function noRedisCloud(what: string): ConfigError {
  return new ConfigError('CONFIG_INVALID', `${what} is for Redis Cloud, which rdi does not log in to`, {
    fix: 'Log in to a running rdi with --user.',
  });
}

async function chooseContext(name: string | undefined, hasUrl: boolean, env: Terminal['env']): Promise<ApiContext> {
  if (name === undefined && hasUrl) return {};
  const contexts = await readContexts(env);
  const chosen = name ?? contexts.current;
  return chosen === null ? {} : contextNamed(contexts, chosen);
}

/** The strongest place that says anything about certificates says all of it. */
function trustOf(options: ApiOptions, env: Terminal['env'], context: ApiContext) {
  const cacert = variable(env, 'RDI_CACERT');
  const places: { cacert?: string | undefined; insecure?: boolean | undefined }[] = [
    options,
    { cacert, insecure: /^(1|true|yes|on)$/i.test(env['RDI_INSECURE'] ?? '') || undefined },
    context,
  ];
  const found = places.find((place) => place.cacert !== undefined || place.insecure === true);
  return { cacert: found?.cacert, insecure: found?.insecure === true && found.cacert === undefined };
}

function variable(env: Terminal['env'], name: string): string | undefined {
  const value = env[name];
  return value === '' ? undefined : value;
}

/** The URL without its user, who is for a proxy in front of rdi and goes into a header: `fetch` takes none in a URL. */
export function parseApiUrl(text: string): { base: string; proxyLogin: string | undefined } {
  const url = URL.parse(text.includes('://') ? text : `http://${text}`);
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw new ConfigError('CONFIG_INVALID', 'The API address is no URL', {
      fix: `Give --api-url or RDI_API_URL as http://host:port, for example ${DEFAULT_API_URL}.`,
    });
  }
  const { username, password, origin, pathname } = url;
  const login = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return {
    // `--api-url http://host:port/api` is how RDI's own guide writes it in places.
    base: (origin + pathname).replace(/\/+$/, '').replace(/\/api(\/v[12])?$/, ''),
    proxyLogin: login === ':' ? undefined : `Basic ${Buffer.from(login).toString('base64')}`,
  };
}

async function readCertificates(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw new ConfigError('CONFIG_NOT_FOUND', `The certificates of the API cannot be read: ${code}`, {
      where: file,
      fix: 'Check --cacert, RDI_CACERT or the context.',
      cause,
    });
  }
}
