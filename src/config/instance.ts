import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { ConfigError, type ConfigNotice, type ConfigProblem } from '../errors.ts';
import { type PemOf, readCertificates, readIdentity } from './certificates.ts';
import { defaultOf } from './declare.ts';
import { freeze } from './freeze.ts';
import { expandHttp, resolveHttp } from './http.ts';
import { layer } from './layers.ts';
import { isLoopback, parseAge, parseDuration, parseSize } from './parse.ts';
import { pathKey, substitute } from './placeholders.ts';
import { invalid } from './problems.ts';
import { type InstanceInput, instanceSchema, parseListen } from './schema-instance.ts';
import { resolveSecretSources } from './secret-sources.ts';
import { secretsIn } from './secrets.ts';
import type { EndpointTls, EndpointUser, Environment, HostPort, HttpSettings, Instance } from './types.ts';
import { type PathProblem, validate } from './validate.ts';
import { parseYaml, readYamlFile, type YamlFile } from './yaml-file.ts';

export interface InstanceSources {
  /** Pipeline folder, where `rdi.yaml` may be. */
  readonly dir?: string | undefined;
  /** `--instance FILE`; then it must be there. */
  readonly file?: string | undefined;
  /** Values of the command line by camel-case name, as commander delivers them: texts, and true for switches. */
  readonly flags?: Readonly<Record<string, unknown>>;
  readonly env: Environment;
}

const shape = instanceSchema.shape;
const endpointShape = shape.endpoint.unwrap().shape;
const limitsShape = endpointShape.limits.unwrap().shape;
const tlsShape = endpointShape.tls.unwrap().shape;
const memoryShape = shape.memory.unwrap().shape;

/**
 * The effective instance: flag over variable over file over default, value by value.
 *
 * Throws a {@link ConfigError}: `CONFIG_NOT_FOUND` when a file given with `--instance` cannot be read, `CONFIG_INVALID`
 * with every problem otherwise; a problem names the file with its line, the flag or the variable.
 */
export function loadInstance(sources: InstanceSources): Instance {
  const file = readInstanceFile(sources);
  if (file.problems.length > 0) throw invalid(file.problems);
  const content = expandHttp(file.content ?? {});
  const folder = resolve(dirname(file.file));
  const substitution = substitute(content, instanceSchema, sources, folder);
  const layered = layer(substitution.value, sources.flags ?? {}, sources.env);
  const checked = validate(instanceSchema, { ...substitution, value: layered.value });
  const place = (problem: PathProblem) => layered.place(file, problem);
  const problems: ConfigProblem[] = [...substitution.problems, ...checked.problems].map(place);
  const report = (path: readonly PropertyKey[], message: string) =>
    problems.push(place({ path, message, onKey: true }));

  const input = checked.value;
  if (input === undefined) throw invalid(problems);
  // A relative path of the file starts at the file; one of a flag or variable where the command was started.
  const folderOf = (path: readonly PropertyKey[]) => (layered.isFromFile(path) ? folder : '.');
  const pemOf: PemOf = (path, value) => ({
    value,
    folder: folderOf(path),
    placeholder: layered.isFromFile(path) ? substitution.written.get(pathKey(path)) : undefined,
  });
  const users = resolveUsers(input, layered.isFromFile, report);
  const tls = resolveTls(input, pemOf, report);
  const secretSources = resolveSecretSources(input.secrets, { folderOf, pemOf }, report);
  const listen = parseListen(input.listen ?? defaultOf(shape.listen)) as HostPort;
  checkReach(listen, input, users, tls, report);
  const http = resolveHttp(input.http, pemOf, report);
  if (problems.length > 0) throw invalid(problems);

  return freeze<Instance>({
    listen,
    http,
    dataDir:
      input.data_dir === undefined
        ? resolve(defaultOf(shape.data_dir))
        : resolve(folderOf(['data_dir']), input.data_dir),
    target: resolveTarget(input, layered.isFromFile),
    endpoint: {
      users,
      tls,
      limits: resolveLimits(input),
      testMode: input.endpoint?.test_mode ?? defaultOf(endpointShape.test_mode),
      nullKey: input.endpoint?.null_key ?? defaultOf(endpointShape.null_key),
      nullValue: input.endpoint?.null_value ?? defaultOf(endpointShape.null_value),
    },
    diskLimitBytes: size(input.disk_limit, shape.disk_limit),
    retention: resolveRetention(input),
    memory: {
      maxBufferedBytes: size(input.memory?.max_buffered, memoryShape.max_buffered),
      maxBatchBytes: size(input.memory?.max_batch, memoryShape.max_batch),
      maxBatchesInFlight: input.memory?.max_batches_in_flight ?? defaultOf(memoryShape.max_batches_in_flight),
    },
    logLevel: input.log_level ?? defaultOf(shape.log_level),
    logFormat: input.log_format ?? defaultOf(shape.log_format),
    shutdownDeadlineMs: duration(input.shutdown_deadline, shape.shutdown_deadline),
    secretSources,
    notices: httpNotices(http, place),
    secrets: [...new Set([...secretsIn(layered.value, instanceSchema), ...keysOf(tls, http?.tls)])],
  });
}

function readInstanceFile(sources: InstanceSources): YamlFile {
  const file = sources.file ?? join(sources.dir ?? '.', 'rdi.yaml');
  if (sources.file === undefined && (sources.dir === undefined || !existsSync(file))) return parseYaml('rdi.yaml', '');
  try {
    return readYamlFile(file);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new ConfigError('CONFIG_NOT_FOUND', `the instance file ${file} cannot be read: ${code ?? 'unknown reason'}`, {
      fix: 'Check the path given with `--instance`, or leave the flag out: every value has a default.',
      cause: error,
    });
  }
}

/** In a file placeholders are filled in already; what they brought must not be taken for a placeholder again. */
function resolveTarget(
  { target }: InstanceInput,
  isFromFile: (path: readonly PropertyKey[]) => boolean,
): string | undefined {
  return isFromFile(['target']) ? target?.replaceAll('${', () => '$${') : target;
}

type Report = (path: readonly PropertyKey[], message: string) => void;

function resolveUsers(
  input: InstanceInput,
  isFromFile: (path: readonly PropertyKey[]) => boolean,
  report: Report,
): EndpointUser[] {
  const { users, user, password } = input.endpoint ?? {};
  if (user !== undefined && password === undefined) {
    report(['endpoint', 'user'], 'a user without a password; set `password`, too');
  }
  if (password !== undefined) {
    const bothInFile = users !== undefined && isFromFile(['endpoint', 'password']);
    if (bothInFile) report(['endpoint', 'password'], '`password` cannot stand beside `users`');
    return [{ name: user ?? 'default', password }];
  }
  const names = new Set<string>();
  for (const [index, { name }] of (users ?? []).entries()) {
    if (names.has(name)) report(['endpoint', 'users', index, 'name'], `the user \`${name}\` is there twice`);
    names.add(name);
  }
  return users ?? [];
}

function resolveTls(input: InstanceInput, pemOf: PemOf, report: Report): EndpointTls | undefined {
  const tls = input.endpoint?.tls;
  if (tls === undefined || Object.keys(tls).length === 0) return undefined;
  const at = ['endpoint', 'tls'];
  const clientCertificates = tls.client_certificates ?? defaultOf(tlsShape.client_certificates);
  const isWhole = tls.cert !== undefined && tls.key !== undefined;
  if (isWhole && clientCertificates !== 'none' && tls.client_ca === undefined) {
    report([...at, 'client_certificates'], `\`client_certificates: ${clientCertificates}\` needs \`client_ca\``);
  }
  const caPath = [...at, 'client_ca'];
  const clientCa =
    isWhole && tls.client_ca !== undefined
      ? readCertificates(pemOf(caPath, tls.client_ca), (message) => report(caPath, message))
      : undefined;
  const identity = readIdentity(tls, at, pemOf, report);
  if (identity === undefined) return undefined;
  return { ...identity, ...(clientCa === undefined ? {} : { clientCa }), clientCertificates };
}

/** Who can reach the endpoint must be known, unless the user says otherwise in plain words. */
function checkReach(
  listen: HostPort,
  input: InstanceInput,
  users: readonly EndpointUser[],
  tls: EndpointTls | undefined,
  report: Report,
): void {
  const isKnown = users.length > 0 || tls?.clientCertificates === 'required';
  const isAllowed = input.endpoint?.accept_unauthenticated_connections_from_the_network === true;
  if (isKnown || isAllowed || isLoopback(listen.host)) return;
  report(
    ['listen'],
    `\`${listen.host}\` can be reached from the network and there is no user, so anybody could write to the target; set a user and password, listen on 127.0.0.1, or set \`accept_unauthenticated_connections_from_the_network: true\``,
  );
}

function resolveLimits(input: InstanceInput): Instance['endpoint']['limits'] {
  const limits = input.endpoint?.limits;
  return {
    maxFrameBytes: size(limits?.max_frame_bytes, limitsShape.max_frame_bytes),
    maxArguments: limits?.max_arguments ?? defaultOf(limitsShape.max_arguments),
    maxConnections: limits?.max_connections ?? defaultOf(limitsShape.max_connections),
    unauthenticatedTimeoutMs: duration(limits?.unauthenticated_timeout, limitsShape.unauthenticated_timeout),
  };
}

function resolveRetention({
  retention,
  retention_size: most,
  disk_limit: limit,
}: InstanceInput): Instance['retention'] {
  const limitBytes = size(limit, shape.disk_limit);
  const bytes = most === undefined ? limitBytes / 2 : Math.min(limitBytes, parseSize(String(most)) ?? 0);
  return { ms: parseAge(retention ?? defaultOf(shape.retention)) ?? 0, bytes };
}

/** Whoever allows it is told what it means, at every start. */
function httpNotices(http: HttpSettings | null, place: (problem: PathProblem) => ConfigProblem): ConfigNotice[] {
  if (http === null || isLoopback(http.host) || http.login !== undefined || http.token !== undefined) return [];
  const message = `everybody who reaches \`${http.host}\` can change the configuration, read rejected records and delete data: there is no login`;
  return [{ ...place({ path: ['http', 'listen'], message, onKey: true }), level: 'warn' }];
}

/** Private keys must not be shown either. */
function keysOf(...all: readonly ({ readonly key: string } | undefined)[]): string[] {
  return all.flatMap((tls) => (tls === undefined ? [] : [tls.key]));
}

/** Bytes; the text was checked when the file was. */
function size(value: string | number | undefined, schema: typeof shape.disk_limit): number {
  return parseSize(String(value ?? defaultOf(schema))) ?? 0;
}

/** Milliseconds; the text was checked when the file was. */
function duration(value: string | undefined, schema: typeof shape.shutdown_deadline): number {
  return parseDuration(value ?? defaultOf(schema)) ?? 0;
}
