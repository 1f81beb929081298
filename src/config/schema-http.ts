import { flag, group, parsed, text } from './declare.ts';
import { parseHostPort } from './parse.ts';

/** `http` of `rdi.yaml`: where the API, metrics and the web page are served, and who may use them. */

/** The address of the HTTP server; null for `off`. */
export function parseHttp(value: string) {
  return value === 'off' ? null : parseHostPort(value, 0);
}

/** `user` is the flag `--http-user` and the variable `RDI_HTTP_USER`. */
function commandLine(name: string): { flag: string; variable: string } {
  return { flag: `http-${name}`, variable: `RDI_HTTP_${name.toUpperCase().replaceAll('-', '_')}` };
}

const tls = group(
  {
    cert: text({
      description:
        'Path of the certificate (PEM, with its chain). Switches HTTPS on. Read again when the file changes.',
      placeholder: 'file',
      ...commandLine('tls-cert'),
    }).optional(),
    key: text({
      description: 'Path of the certificate’s private key (PEM).',
      placeholder: 'file',
      ...commandLine('tls-key'),
    }).optional(),
    key_password: text({
      description: 'Pass phrase of the private key.',
      secret: true,
      placeholder: 'text',
      ...commandLine('tls-key-password'),
    }).optional(),
  },
  { description: 'HTTPS.', dependentRequired: { cert: ['key'], key: ['cert'], key_password: ['key'] } },
);

export const httpSchema = group(
  {
    listen: parsed(parseHttp, {
      description: 'Where API, metrics, health and the web page are served, or `off`.',
      default: '127.0.0.1:8080',
      expects: '`host:port` such as `127.0.0.1:8080`, or `off`',
      placeholder: 'host:port|off',
      flag: 'http',
      variable: 'RDI_HTTP',
    }).optional(),
    user: text({
      description: 'Who may log in. `default` when only a password is given.',
      placeholder: 'name',
      ...commandLine('user'),
    }).optional(),
    password: text({
      description: 'Password of this user. On the command line it can be seen by others: better use the variable.',
      secret: true,
      placeholder: 'text',
      ...commandLine('password'),
    }).optional(),
    token: text({
      description: 'A bearer token that is valid for ever, for programs that cannot log in, such as Prometheus.',
      secret: true,
      placeholder: 'text',
      ...commandLine('token'),
    }).optional(),
    jwt_secret_key: text({
      description:
        'What tokens are signed with, at least 32 characters. Without it each start has its own key, and everybody logs in anew.',
      secret: true,
      placeholder: 'text',
      flag: 'http-jwt-secret-key',
      variable: 'JWT_SECRET_KEY',
    }).optional(),
    allow_unauthenticated: flag({
      description:
        'Allow `listen` on an address that other machines reach while there is no login. Everybody who can connect may then change the configuration and delete data.',
      default: false,
      ...commandLine('allow-unauthenticated'),
    }).optional(),
    open_metrics: flag({
      description: 'Serve metrics without login.',
      default: false,
      ...commandLine('open-metrics'),
    }).optional(),
    tls: tls.optional(),
  },
  {
    description: 'API, metrics, health and the web page. A text instead of the map is its `listen`.',
    orText: true,
  },
);
