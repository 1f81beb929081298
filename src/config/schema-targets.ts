import type { z } from 'zod';
import { choice, flag, group, integer, list, map, parsed, text, variable } from './declare.ts';
import { parseHostPort, parseTargetUrl } from './parse.ts';

/** `targets`: the Redis databases that rows are written to. RDI's own keys, and ours for what RDI cannot say. */

const nodes = (description: string) =>
  list(
    parsed((value) => parseHostPort(value), {
      description: 'One node, `host:port`.',
      expects: '`host:port`, for example `10.0.0.5:6379`',
      example: '10.0.0.5:6379',
    }),
    { description, min: 1 },
  );

const sentinel = group(
  {
    name: text({ description: 'Name under which the Sentinels watch the master.', example: 'mymaster' }),
    nodes: nodes('The Sentinels, `host:port` each.'),
    user: text({ description: 'ACL user of the Sentinels, where they ask for one.' }).optional(),
    password: text({ description: 'Password of the Sentinels, where they ask for one.', secret: true }).optional(),
  },
  { description: 'Find the master through Redis Sentinel. Replaces `host` and `port`.', beyondRdi: true },
);

const cluster = group(
  { nodes: nodes('Some nodes of the cluster, `host:port` each; the others are found through them.') },
  { description: 'Write to a Redis Cluster. Replaces `host` and `port`.', beyondRdi: true },
);

const connection = group(
  {
    type: choice(['redis'], {
      description: 'Always `redis`. May be left out beside `url`, `sentinel` or `cluster`.',
    }).optional(),
    host: text({ description: 'Host name or IP address.', example: '127.0.0.1' }).optional(),
    port: integer({ description: 'Port.', min: 1, max: 65535, example: '6379' }).optional(),
    user: text({
      description: 'ACL user; without it the default user.',
      example: variable('TARGET_DB_USERNAME'),
    }).optional(),
    password: text({
      description: 'Password. Empty means none.',
      secret: true,
      empty: true,
      example: variable('TARGET_DB_PASSWORD'),
    }).optional(),
    key: text({
      description: 'Path of the client’s private key (PEM). Needs `cert`.',
      example: variable('TARGET_DB_KEY'),
    }).optional(),
    cert: text({
      description: 'Path of the client’s certificate (PEM). Needs `key`.',
      example: variable('TARGET_DB_CERT'),
    }).optional(),
    key_password: text({
      description: 'Pass phrase of the private key. Needs `key`.',
      secret: true,
      example: variable('TARGET_DB_KEY_PASSWORD'),
    }).optional(),
    cacert: text({
      description: 'Path of the CA certificates (PEM, one or a chain). Switches TLS on.',
      example: variable('TARGET_DB_CACERT'),
    }).optional(),
    url: parsed((value) => parseTargetUrl(value), {
      description:
        '`redis://[user:password@]host[:port][/db]`, `rediss://…` with TLS, or `unix:///path/to/socket[?db=n]`. Replaces `host` and `port`.',
      expects: 'a url such as `redis://127.0.0.1:6379`, `rediss://…` or `unix:///path/to/socket`',
      example: 'rediss://cache.example.net:6380/2',
      secret: true,
      url: true,
      beyondRdi: true,
    }).optional(),
    db: integer({ description: 'Number of the database.', min: 0, default: 0, beyondRdi: true }).optional(),
    tls: flag({
      description: 'Use TLS and trust the CAs of the system. Not needed beside `cacert`.',
      beyondRdi: true,
    }).optional(),
    verify_hostname: flag({
      description: 'Whether the certificate must name the host. Only for test set-ups is `false` sensible.',
      default: true,
      beyondRdi: true,
    }).optional(),
    sentinel: sentinel.optional(),
    cluster: cluster.optional(),
  },
  {
    description:
      'How to reach this Redis. TLS is on with `cacert`, with `cert` and `key`, with `tls: true` or with a `rediss://` url.',
    dependentRequired: { key: ['cert'], cert: ['key'], key_password: ['key'], host: ['port'], port: ['host'] },
  },
);

export const targets = map(
  group(
    {
      connection,
      name: text({ description: 'Name for people.', maxLength: 100 }).optional(),
    },
    { description: 'One target.' },
  ),
  {
    description: 'Redis databases that rows are written to, by id. `target` is the one used when nothing else is said.',
  },
);

export type ConnectionInput = z.output<typeof connection>;

export { connection as connectionSchema };
