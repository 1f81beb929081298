import { type PemOf, pemFile, readIdentity } from './certificates.ts';
import { defaultOf } from './declare.ts';
import { isLoopback } from './parse.ts';
import { httpSchema, parseHttp } from './schema-http.ts';
import type { InstanceInput } from './schema-instance.ts';
import type { HttpSettings, HttpTls } from './types.ts';

type Report = (path: readonly PropertyKey[], message: string) => void;
type HttpInput = NonNullable<InstanceInput['http']>;

/** RFC 7518 asks HS256 for a key as long as its digest. */
const MIN_KEY_LENGTH = 32;

/** `http: host:port` is short for `http: {listen: host:port}`. */
export function expandHttp(content: unknown): unknown {
  if (content === null || typeof content !== 'object' || Array.isArray(content)) return content;
  const { http, ...rest } = content as Record<string, unknown>;
  if (http === undefined || http === null || typeof http === 'object') return content;
  return { ...rest, http: { listen: String(http) } };
}

/** The effective `http` of an instance; null when it is off. Whoever can reach it must be known, unless told otherwise. */
export function resolveHttp(input: HttpInput = {}, pemOf: PemOf, report: Report): HttpSettings | null {
  const address = parseHttp(input.listen ?? defaultOf(httpSchema.shape.listen));
  const { user, password, token, jwt_secret_key: jwtKey } = input;
  if (user !== undefined && password === undefined) {
    report(['http', 'user'], 'a user without a password; set `password`, too');
  }
  if (jwtKey !== undefined && jwtKey.length < MIN_KEY_LENGTH) {
    report(['http', 'jwt_secret_key'], `\`jwt_secret_key\` must have at least ${MIN_KEY_LENGTH} characters`);
  }
  const tls = resolveTls(input, pemOf, report);
  if (address === null || address === undefined) return null;
  const hasLogin = password !== undefined || token !== undefined;
  if (!hasLogin && !isLoopback(address.host) && input.allow_unauthenticated !== true) {
    report(
      ['http', 'listen'],
      `\`${address.host}\` can be reached from the network and there is no login, so anybody could change the configuration and read data; set \`http.user\` and \`http.password\` (or \`http.token\`), listen on 127.0.0.1, or set \`http.allow_unauthenticated: true\``,
    );
  }
  return {
    ...address,
    ...(password === undefined ? {} : { login: { user: user ?? 'default', password } }),
    ...(token === undefined ? {} : { token }),
    ...(jwtKey === undefined ? {} : { jwtKey }),
    ...(input.open_metrics === true ? { openMetrics: true } : {}),
    ...(tls === undefined ? {} : { tls }),
  };
}

function resolveTls({ tls }: HttpInput, pemOf: PemOf, report: Report): HttpTls | undefined {
  if (tls === undefined || (tls.cert === undefined && tls.key === undefined)) return undefined;
  const at = ['http', 'tls'];
  const identity = readIdentity(tls, at, pemOf, report);
  if (identity === undefined || tls.cert === undefined || tls.key === undefined) return undefined;
  const [certFile, keyFile] = [pemFile(pemOf([...at, 'cert'], tls.cert)), pemFile(pemOf([...at, 'key'], tls.key))];
  return {
    ...identity,
    ...(certFile === undefined ? {} : { certFile }),
    ...(keyFile === undefined ? {} : { keyFile }),
  };
}
