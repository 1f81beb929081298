import { readFile, stat } from 'node:fs/promises';
import { ConfigError } from '../errors.ts';
import type { Terminal } from './terminal.ts';

/** Keys of RDI 2.0, to be given with `--db`. */
const SHORT_KEYS = ['USERNAME', 'PASSWORD', 'CACERT', 'CERT', 'KEY', 'KEY_PASSWORD'];

/** Keys whose value may be a path, because RDI's guide gives one where its reference wants `--file`. */
const FILE_KEY = /(?:^|_)(?:CACERT|CERT|KEY)$/;
const NO_FILE_KEYS: readonly string[] = ['JWT_SECRET_KEY', 'RDI_SECRETS_KEY'];

/**
 * The name that placeholders use: `PASSWORD` of the database `orders-eu` is `ORDERS_EU_DB_PASSWORD`; without a database the key
 * itself. `target-password` is what 2023 called the password of the target.
 *
 * @throws ConfigError for a key that no database has
 */
export function secretName(key: string, db: string | undefined): string {
  if (db === undefined) return key === 'target-password' ? 'TARGET_DB_PASSWORD' : key;
  if (SHORT_KEYS.includes(key)) return `${db.toUpperCase().replaceAll('-', '_')}_DB_${key}`;
  throw new ConfigError('CONFIG_INVALID', `with --db, ${JSON.stringify(key)} cannot be the key of a secret`, {
    fix: `Use one of ${SHORT_KEYS.join(', ')}, or the whole name without --db.`,
  });
}

/** Where the value of a secret may be given. */
export interface ValueSources {
  /** After the key. */
  readonly argument: string | undefined;
  readonly literal?: string | undefined;
  /** A file on this machine; `-` is standard input. */
  readonly file?: string | undefined;
  /** The form of 2023. */
  readonly secretValue?: string | undefined;
}

/**
 * The value, from where it was given, or asked of the person without showing it.
 *
 * @throws ConfigError when it is given twice, not at all, or in a file that cannot be read
 */
export async function readSecretValue(name: string, sources: ValueSources, terminal: Terminal): Promise<string> {
  const { argument, literal, file, secretValue } = sources;
  const given = [argument, literal, file, secretValue].filter((one) => one !== undefined);
  if (given.length > 1) {
    throw new ConfigError('CONFIG_INVALID', 'the value is given more than once', {
      fix: 'Give it after the key, or with --literal, or with --file.',
    });
  }
  if (file !== undefined) return readValueFile(file);
  if (argument !== undefined) return (await isFileValue(name, argument)) ? readValueFile(argument) : argument;
  const value = literal ?? secretValue;
  if (value !== undefined) return value;
  if (terminal.ask !== undefined) return terminal.ask(`Value of ${name}: `, { isHidden: true });
  throw new ConfigError('CONFIG_INVALID', `no value is given for ${name}, and nobody is here to be asked`, {
    fix: 'Give it with --file (`--file -` reads standard input), with --literal, or after the key.',
  });
}

async function isFileValue(name: string, value: string): Promise<boolean> {
  if (!FILE_KEY.test(name) || NO_FILE_KEYS.includes(name) || value.includes('\n')) return false;
  return (await stat(value).catch(() => undefined))?.isFile() ?? false;
}

async function readValueFile(file: string): Promise<string> {
  let bytes: Buffer;
  try {
    bytes = await (file === '-' ? readInput() : readFile(file));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new ConfigError('CONFIG_NOT_FOUND', `${file} cannot be read: ${code ?? 'unknown reason'}`, {
      fix: 'Give --file the path of a file on this machine.',
      cause: error,
    });
  }
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    return text.replace(/\r?\n$/, '');
  } catch {
    return pemOf(file, bytes);
  }
}

async function readInput(): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

/** Certificates and keys in binary form (DER) as PEM text, which is what connections take. */
async function pemOf(file: string, bytes: Buffer): Promise<string> {
  const { createPrivateKey, X509Certificate } = await import('node:crypto');
  const readers = [
    () => new X509Certificate(bytes).toString(),
    () => createPrivateKey({ key: bytes, format: 'der', type: 'pkcs8' }).export({ format: 'pem', type: 'pkcs8' }),
    () => createPrivateKey({ key: bytes, format: 'der', type: 'pkcs1' }).export({ format: 'pem', type: 'pkcs8' }),
  ];
  for (const read of readers) {
    try {
      return String(read());
    } catch {
      // The next form is tried.
    }
  }
  throw new ConfigError('CONFIG_INVALID', `${file} is neither text nor a certificate or private key in DER form`, {
    fix: 'Give a file of UTF-8 text, or a certificate or key.',
  });
}
