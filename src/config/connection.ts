import { type PemSource, pemFile, readCertificates, readPrivateKey } from './certificates.ts';
import { parseHostPort, parseTargetUrl, type TargetUrl } from './parse.ts';
import type { ConnectionInput } from './schema-targets.ts';
import type { HostPort, TargetConnection, TargetTls } from './types.ts';
import type { PathProblem } from './validate.ts';

/** Turns `targets.<id>.connection` into what the writer needs. */

/** Reports what is wrong with one key of the connection. */
type Report = (key: keyof ConnectionInput, message: string) => void;

/** Where a connection is written. */
export interface ConnectionPlace {
  /** Where relative paths start. */
  readonly folder: string;
  /** Keys that are written; those that `input` holds without it. */
  readonly written?: readonly string[];
  /** The text of a value as written, where it came from a placeholder. */
  readonly placeholderOf?: (key: string) => string | undefined;
}

/**
 * The way to the target; `problems` tells, relative to the connection, why there is none. Reads certificate files, and names
 * them in `files`.
 *
 * `input` holds the keys that are right by themselves.
 */
export function resolveConnection(
  input: ConnectionInput,
  { folder, written = Object.keys(input), placeholderOf }: ConnectionPlace,
): { connection: TargetConnection | undefined; problems: PathProblem[]; files: string[] } {
  const problems: PathProblem[] = [];
  const report: Report = (key, message) => problems.push({ path: [key], message, onKey: true });
  const url = input.url === undefined ? undefined : parseTargetUrl(input.url);
  const has = (key: keyof ConnectionInput) => written.includes(key);
  checkWay(input, has, report);
  const source = (key: 'cacert' | 'cert' | 'key'): PemSource | undefined => {
    const value = input[key];
    return value === undefined ? undefined : { value, folder, placeholder: placeholderOf?.(key) };
  };
  const tls = resolveTls(input, has, url, source, report);
  const sources = [source('cacert'), source('cert'), source('key')].filter((one) => one !== undefined);
  const files = sources.map(pemFile).filter((file) => file !== undefined);
  if (problems.length > 0) return { connection: undefined, problems, files };
  const user = input.user ?? url?.user;
  const password = input.password ?? url?.password;
  const db = input.db ?? url?.db;
  const connection: TargetConnection = {
    ...resolveWay(input, url),
    ...(user === undefined ? {} : { user }),
    ...(password === undefined || password === '' ? {} : { password }),
    ...(db === undefined ? {} : { db }),
    ...(tls === undefined ? {} : { tls }),
  };
  return { connection, problems, files };
}

/** Exactly one of `host` and `port`, `url`, `sentinel`, `cluster`. */
function checkWay(input: ConnectionInput, has: (key: keyof ConnectionInput) => boolean, report: Report): void {
  const [first, ...others] = (['url', 'sentinel', 'cluster'] as const).filter(has);
  if (first === undefined) {
    if (!has('type')) report('type', '`type` is missing; it must be `redis`');
    for (const key of ['host', 'port'] as const) {
      if (!has(key)) report(key, `\`${key}\` is missing; a target needs \`host\` and \`port\`, or a \`url\``);
    }
    return;
  }
  for (const key of [...others, ...(['host', 'port'] as const).filter(has)]) {
    report(key, `\`${key}\` cannot stand beside \`${first}\``);
  }
  if (first === 'cluster' && (input.db ?? 0) !== 0) report('db', 'a Redis Cluster has only `db: 0`');
}

function resolveWay(input: ConnectionInput, url: TargetUrl | undefined) {
  const { sentinel, cluster } = input;
  if (sentinel !== undefined) {
    const { name, nodes, user, password } = sentinel;
    const login = { ...(user === undefined ? {} : { user }), ...(password === undefined ? {} : { password }) };
    return { sentinel: { name, nodes: parseNodes(nodes), ...login } };
  }
  if (cluster !== undefined) return { cluster: { nodes: parseNodes(cluster.nodes) } };
  if (url?.socketPath !== undefined) return { socketPath: url.socketPath };
  return { host: input.host ?? url?.host ?? '', port: input.port ?? url?.port ?? 6379 };
}

function parseNodes(nodes: readonly string[]): HostPort[] {
  return nodes.map((node) => parseHostPort(node)).filter((node) => node !== undefined);
}

const PAIRS = [
  ['key', 'cert'],
  ['cert', 'key'],
  ['key_password', 'key'],
] as const;

function resolveTls(
  input: ConnectionInput,
  has: (key: keyof ConnectionInput) => boolean,
  url: TargetUrl | undefined,
  source: (key: 'cacert' | 'cert' | 'key') => PemSource | undefined,
  report: Report,
): TargetTls | undefined {
  const files = (['cacert', 'cert', 'key'] as const).filter((key) => input[key] !== undefined);
  for (const [key, needed] of PAIRS) {
    if (has(key) && !has(needed)) report(key, `\`${key}\` needs \`${needed}\``);
  }
  const isOn = files.length > 0 || input.tls === true || url?.tls === true;
  if (input.tls === false && (files.length > 0 || url?.tls === true)) {
    report('tls', `\`tls: false\` contradicts \`${files[0] ?? 'url'}\`, which switches TLS on`);
  }
  if (isOn && url?.socketPath !== undefined) report('url', 'TLS is not spoken over a unix socket');
  if (!isOn) {
    if (input.verify_hostname !== undefined)
      report('verify_hostname', '`verify_hostname` needs TLS, for example `tls: true`');
    return undefined;
  }
  const certificates = (key: 'cacert' | 'cert') => {
    const pem = source(key);
    return pem === undefined ? undefined : readCertificates(pem, (message) => report(key, message));
  };
  const ca = certificates('cacert');
  const cert = certificates('cert');
  const keySource = source('key');
  const key =
    keySource === undefined
      ? undefined
      : readPrivateKey(keySource, { password: input.key_password, cert, report: (message) => report('key', message) });
  return {
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    ...(input.key_password === undefined ? {} : { keyPassword: input.key_password }),
    ...(input.verify_hostname === undefined ? {} : { verifyHostname: input.verify_hostname }),
  };
}

/** The address of a target without user and password, for people: `rediss://cache:6380/2`. */
export function describeTarget(connection: TargetConnection): string {
  const scheme = connection.tls === undefined ? 'redis' : 'rediss';
  const db = connection.db === undefined || connection.db === 0 ? '' : `/${connection.db}`;
  const list = (nodes: readonly HostPort[]) => nodes.map(formatHostPort).join(',');
  if (connection.socketPath !== undefined) return `unix://${connection.socketPath}${db && `?db=${connection.db}`}`;
  if (connection.sentinel !== undefined) {
    return `${scheme}+sentinel://${list(connection.sentinel.nodes)}/${connection.sentinel.name}${db}`;
  }
  if (connection.cluster !== undefined) return `${scheme}+cluster://${list(connection.cluster.nodes)}`;
  return `${scheme}://${formatHostPort({ host: connection.host ?? '', port: connection.port ?? 6379 })}${db}`;
}

/** `host:port`, with brackets around an IPv6 address. */
function formatHostPort({ host, port }: HostPort): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}
