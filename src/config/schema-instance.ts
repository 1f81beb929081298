import type { z } from 'zod';
import { choice, flag, group, integer, list, parsed, parsedOrNumber, text, variable } from './declare.ts';
import { parseAge, parseDuration, parseHostPort, parseSize, parseTargetUrl } from './parse.ts';
import { httpSchema } from './schema-http.ts';
import { secretSourcesSchema } from './schema-secrets.ts';
import { LOG_LEVELS } from './schema-sources.ts';

/** `rdi.yaml`: what one process needs to know besides its pipeline. Every value is a flag and a variable, too. */

const size = (name: string, value: string, description: string) =>
  parsedOrNumber(parseSize, {
    description,
    default: value,
    expects: 'a size such as `512mb` or `20gb`',
    example: value,
    placeholder: 'size',
    ...commandLine(name),
  }).optional();

const duration = (name: string, value: string, description: string) =>
  parsed(parseDuration, {
    description,
    default: value,
    expects: 'a duration such as `500ms`, `30s` or `2m`',
    example: value,
    placeholder: 'duration',
    ...commandLine(name),
  }).optional();

const path = (name: string, description: string) =>
  text({ description, placeholder: 'file', ...commandLine(name) }).optional();

/** `data-dir` is the flag `--data-dir` and the variable `RDI_DATA_DIR`. */
function commandLine(name: string): { flag: string; variable: string } {
  return { flag: name, variable: `RDI_${name.toUpperCase().replaceAll('-', '_')}` };
}

const user = group(
  {
    name: text({ description: 'Name.', example: 'debezium' }),
    password: text({ description: 'Password.', secret: true, example: variable('RDI_FEEDER_PASSWORD') }),
  },
  { description: 'One user.' },
);

const tls = group(
  {
    cert: path('tls-cert', 'Path of the endpoint’s certificate (PEM, with its chain). Switches TLS on.'),
    key: path('tls-key', 'Path of the certificate’s private key (PEM).'),
    key_password: text({
      description: 'Pass phrase of the private key.',
      secret: true,
      placeholder: 'text',
      ...commandLine('tls-key-password'),
    }).optional(),
    client_ca: path('tls-client-ca', 'Path of the CA certificates (PEM) that sign the certificates of clients.'),
    client_certificates: choice(['none', 'optional', 'required'], {
      description: 'Whether a client must show a certificate of `client_ca`.',
      default: 'none',
      placeholder: 'word',
      ...commandLine('tls-client-certificates'),
    }).optional(),
  },
  { description: 'TLS of the endpoint.', dependentRequired: { cert: ['key'], key: ['cert'], key_password: ['key'] } },
);

const limits = group(
  {
    max_frame_bytes: size('max-frame-bytes', '512mb', 'Largest command. A larger one closes its connection.'),
    max_arguments: integer({
      description: 'Most arguments of one command.',
      min: 16,
      default: 1_048_576,
      placeholder: 'count',
      ...commandLine('max-arguments'),
    }).optional(),
    max_connections: integer({
      description: 'Most connections at one time.',
      min: 1,
      max: 100_000,
      default: 1000,
      placeholder: 'count',
      ...commandLine('max-connections'),
    }).optional(),
    unauthenticated_timeout: duration('unauthenticated-timeout', '10s', 'How long a client may take to log in.'),
  },
  { description: 'Limits of the endpoint.' },
);

const endpoint = group(
  {
    users: list(user, {
      description: 'Users that may connect. Without any, everybody on this machine may, and nobody else can.',
    }).optional(),
    user: text({
      description: 'Name of the user, where there is only one. `default` when only a password is given.',
      placeholder: 'name',
      flag: 'user',
      variable: 'RDI_ENDPOINT_USER',
    }).optional(),
    password: text({
      description: 'Password of this user. On the command line it can be seen by others: better use the variable.',
      secret: true,
      placeholder: 'text',
      flag: 'password',
      variable: 'RDI_ENDPOINT_PASSWORD',
    }).optional(),
    tls: tls.optional(),
    limits: limits.optional(),
    accept_unauthenticated_connections_from_the_network: flag({
      description:
        'Allow `listen` on an address that other machines reach while there is no user. Everybody who can connect may then write.',
      default: false,
      ...commandLine('accept-unauthenticated-connections-from-the-network'),
    }).optional(),
    null_key: text({
      description: 'What feeders write for a missing key (`debezium.sink.redis.null.key`).',
      default: 'default',
      placeholder: 'word',
      ...commandLine('null-key'),
    }).optional(),
    null_value: text({
      description: 'What feeders write for a missing value (`debezium.sink.redis.null.value`).',
      default: 'default',
      placeholder: 'word',
      ...commandLine('null-value'),
    }).optional(),
    test_mode: flag({
      description: 'Serve `DEL` and `CONFIG SET maxmemory`, which only Debezium’s own tests need.',
      default: false,
      ...commandLine('test-mode'),
    }).optional(),
  },
  { description: 'The endpoint that feeders connect to.' },
);

const memory = group(
  {
    max_buffered: size(
      'max-buffered',
      '16mb',
      'Accepted entries kept in memory; beyond it they are read back from disk.',
    ),
    max_batch: size(
      'max-batch',
      '1mb',
      'Entries in one batch. What is on its way at one time should fit the young generation of the heap, else it becomes garbage that is collected late.',
    ),
    max_batches_in_flight: integer({
      description: 'Batches between reading and settling at one time.',
      min: 1,
      max: 64,
      default: 4,
      placeholder: 'count',
      ...commandLine('max-batches-in-flight'),
    }).optional(),
  },
  { description: 'Limits in memory.' },
);

/** Where feeders connect; port 0 takes a free one. */
export function parseListen(value: string) {
  return parseHostPort(value, 0);
}

export const instanceSchema = group(
  {
    listen: parsed(parseListen, {
      description: 'Where feeders connect. Port 0 takes a free one.',
      default: '127.0.0.1:12001',
      expects: '`host:port` such as `127.0.0.1:12001`',
      placeholder: 'host:port',
      ...commandLine('listen'),
    }).optional(),
    http: httpSchema.optional(),
    data_dir: text({
      description: 'Folder of the embedded store. In a file, a relative path starts at the folder of the file.',
      default: './data',
      placeholder: 'folder',
      ...commandLine('data-dir'),
    }).optional(),
    target: parsed((value) => parseTargetUrl(value), {
      description: 'The target Redis, for a run without a pipeline folder: `redis://`, `rediss://` or `unix://`.',
      expects: 'a url such as `redis://127.0.0.1:6379`, `rediss://…` or `unix:///path/to/socket`',
      secret: true,
      url: true,
      placeholder: 'url',
      ...commandLine('target'),
    }).optional(),
    endpoint: endpoint.optional(),
    disk_limit: size('disk-limit', '20gb', 'Bytes the data folder may take before feeders are held back.'),
    retention: parsed(parseAge, {
      description:
        'How long settled entries stay in the data folder, so that `rdi explain` can tell what made a key what it is. They hold no feeder back, and go earlier when their room is needed.',
      default: 'off',
      expects: 'an age such as `12h` or `7d`, or `off`',
      example: '24h',
      placeholder: 'age',
      ...commandLine('retention'),
    }).optional(),
    retention_size: parsedOrNumber(parseSize, {
      description:
        'Bytes up to which the data folder is filled with settled entries. Half of `disk_limit` when left out, and never more than that limit.',
      expects: 'a size such as `512mb` or `20gb`',
      example: '10gb',
      placeholder: 'size',
      ...commandLine('retention-size'),
    }).optional(),
    memory: memory.optional(),
    secrets: secretSourcesSchema.optional(),
    log_level: choice(LOG_LEVELS, {
      description: 'Least level that is logged.',
      default: 'info',
      placeholder: 'level',
      ...commandLine('log-level'),
    }).optional(),
    log_format: choice(['auto', 'json', 'pretty'], {
      description: 'Form of the log. `auto` is `pretty` on a terminal, else `json`.',
      default: 'auto',
      placeholder: 'format',
      ...commandLine('log-format'),
    }).optional(),
    shutdown_deadline: duration('shutdown-deadline', '30s', 'How long a stop may take to drain and settle.'),
  },
  { description: 'One process of rdi.' },
);

export type InstanceInput = z.output<typeof instanceSchema>;
