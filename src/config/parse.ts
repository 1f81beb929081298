import type { HostPort } from './types.ts';

/** Words of the configuration that stand for something else. Every function returns undefined for what it does not understand. */

/** `host:port`, `[v6]:port`, `:port` and `*:port` (all addresses). Ports from `minPort` to 65535. */
export function parseHostPort(text: string, minPort = 1): HostPort | undefined {
  const match = /^(?:\[([0-9A-Fa-f:.%]+)\]|([^\s:@/[\]]+)):(\d{1,5})$/.exec(text);
  if (match === null) return undefined;
  const port = Number(match[3]);
  if (port < minPort || port > 65535) return undefined;
  const host = match[1] ?? match[2] ?? '';
  return { host: host === '*' ? '0.0.0.0' : host, port };
}

/** Whether an address can only be reached from this machine. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(?:\.\d{1,3}){3}$/.test(host);
}

const BYTES_PER_UNIT: Readonly<Record<string, number>> = {
  '': 1,
  b: 1,
  k: 1e3,
  m: 1e6,
  g: 1e9,
  t: 1e12,
  kb: 2 ** 10,
  mb: 2 ** 20,
  gb: 2 ** 30,
  tb: 2 ** 40,
};

/** Bytes of `512mb`, `1.5gb`, `1048576`; units as in redis.conf: `kb mb gb tb` count in 1024, `k m g t` in 1000. */
export function parseSize(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)\s*([a-z]{0,2})$/i.exec(text);
  const unit = BYTES_PER_UNIT[match?.[2]?.toLowerCase() ?? '?'];
  if (match === null || unit === undefined) return undefined;
  const bytes = Math.floor(Number(match[1]) * unit);
  return bytes >= 1 && Number.isSafeInteger(bytes) ? bytes : undefined;
}

const MS_PER_UNIT: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** Longest delay that Node's timers keep. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** Milliseconds of `500ms`, `30s`, `2m`, `1h`. */
export function parseDuration(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)\s*(ms|s|m|h)$/i.exec(text);
  if (match === null) return undefined;
  const ms = Math.round(Number(match[1]) * MS_PER_UNIT[match[2]!.toLowerCase()]!);
  return ms >= 1 && ms <= MAX_TIMER_MS ? ms : undefined;
}

const MS_PER_AGE_UNIT: Readonly<Record<string, number>> = { ...MS_PER_UNIT, d: 86_400_000 };

/** How old something may become, in milliseconds: `30m`, `12h`, `7d`; 0 for `0` and `off`. */
export function parseAge(text: string): number | undefined {
  if (text === '0' || text === 'off') return 0;
  const match = /^(\d{1,6}(?:\.\d+)?)\s*(ms|s|m|h|d)$/i.exec(text);
  return match === null ? undefined : Math.round(Number(match[1]) * MS_PER_AGE_UNIT[match[2]!.toLowerCase()]!);
}

/** What a target's url says. */
export interface TargetUrl {
  readonly tls: boolean;
  readonly host?: string;
  readonly port?: number;
  readonly socketPath?: string;
  readonly user?: string;
  readonly password?: string;
  readonly db?: number;
}

/**
 * `redis://[[user]:password@]host[:port][/db]`, `rediss://` for TLS, `unix:///path[?db=n]` (also `redis+unix://`), or
 * just the absolute path of a socket. User and password percent-encoded. The forms of the IANA registration of `redis`.
 */
export function parseTargetUrl(text: string): TargetUrl | undefined {
  if (text.startsWith('/')) return { tls: false, socketPath: text };
  const match = /^(redis|rediss|unix|redis\+unix):\/\//i.exec(text);
  if (match === null || !URL.canParse(text)) return undefined;
  const url = new URL(text);
  const credentials = readCredentials(url);
  const scheme = match[1]!.toLowerCase();
  if (credentials === undefined || url.hash !== '') return undefined;
  if (scheme.endsWith('unix')) return socketUrl(url);
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  const db = /^\/?(\d{0,9})\/?$/.exec(url.pathname)?.[1];
  if (host === '' || db === undefined || url.search !== '') return undefined;
  if (url.port === '0') return undefined;
  return {
    tls: scheme === 'rediss',
    host: host,
    port: url.port === '' ? 6379 : Number(url.port),
    ...credentials,
    ...(db === '' ? {} : { db: Number(db) }),
  };
}

function socketUrl(url: URL): TargetUrl | undefined {
  const path = decode(url.pathname);
  if (path === undefined || path.length < 2 || url.hostname !== '') return undefined;
  for (const name of url.searchParams.keys()) if (name !== 'db') return undefined;
  const db = url.searchParams.get('db');
  if (db !== null && !/^\d{1,9}$/.test(db)) return undefined;
  return { tls: false, socketPath: path, ...(db === null ? {} : { db: Number(db) }) };
}

function readCredentials(url: URL): { user?: string; password?: string } | undefined {
  const user = decode(url.username);
  const password = decode(url.password);
  if (user === undefined || password === undefined) return undefined;
  return { ...(user === '' ? {} : { user }), ...(password === '' ? {} : { password }) };
}

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
