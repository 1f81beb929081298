import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';

/** Reading PEM files at start, so that a wrong one is found then and not at the first handshake. */

type Report = (message: string) => void;

/** A value of the configuration that names a PEM file. */
export interface PemSource {
  readonly value: string;
  /** Where a relative path starts. */
  readonly folder: string;
  /**
   * The text as written, where the value came from a placeholder: then it may be the PEM text itself, and messages show this
   * instead of a value that may be a secret.
   */
  readonly placeholder?: string | undefined;
}

/** The value at a path of the configuration, with what reading it takes. */
export type PemOf = (path: readonly PropertyKey[], value: string) => PemSource;

/** The absolute path behind a value; undefined when it is PEM text. */
export function pemFile({ value, folder }: PemSource): string | undefined {
  return value.includes(BEGIN) ? undefined : resolve(folder, value);
}

const BEGIN = '-----BEGIN';

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g;

/** Certificates of a PEM file (one or a chain), as text; undefined after `report` was told why not. */
export function readCertificates(source: PemSource, report: Report): string | undefined {
  const text = readPem(source, report);
  const name = shownAs(source);
  if (text === undefined) return undefined;
  const certificates = text.match(CERTIFICATE);
  if (certificates === null) {
    report(`\`${name}\` holds no certificate: a PEM file with \`-----BEGIN CERTIFICATE-----\` is needed`);
    return undefined;
  }
  for (const certificate of certificates) {
    try {
      new X509Certificate(certificate);
    } catch {
      report(`\`${name}\` holds a damaged certificate`);
      return undefined;
    }
  }
  return text;
}

/** A private key of a PEM file, as text; it must open with the pass phrase and belong to the certificate. */
export function readPrivateKey(
  source: PemSource,
  options: { password: string | undefined; cert: string | undefined; report: Report },
): string | undefined {
  const { password, cert, report } = options;
  const text = readPem(source, report);
  const name = shownAs(source);
  if (text === undefined) return undefined;
  if (!/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(text)) {
    report(`\`${name}\` holds no private key: a PEM file with \`-----BEGIN PRIVATE KEY-----\` is needed`);
    return undefined;
  }
  const isEncrypted = /ENCRYPTED/.test(text);
  if (isEncrypted && password === undefined) {
    report(`the private key \`${name}\` is encrypted; \`key_password\` is needed`);
    return undefined;
  }
  try {
    const key = createPrivateKey({ key: text, ...(password === undefined ? {} : { passphrase: password }) });
    const first = cert?.match(CERTIFICATE)?.[0];
    if (first === undefined || new X509Certificate(first).checkPrivateKey(key)) return text;
    report(`the private key \`${name}\` does not belong to the certificate`);
  } catch {
    report(
      `the private key \`${name}\` cannot be opened${isEncrypted ? '; is `key_password` right?' : ': it is damaged'}`,
    );
  }
  return undefined;
}

function shownAs({ value, placeholder }: PemSource): string {
  return placeholder ?? value;
}

function readPem(source: PemSource, report: Report): string | undefined {
  const file = pemFile(source);
  if (file === undefined) {
    if (source.placeholder !== undefined) return source.value;
    report('the path of a PEM file is needed here, not its content');
    return undefined;
  }
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    report(`\`${shownAs(source)}\` cannot be read: ${REASONS[code ?? ''] ?? code ?? 'unknown reason'}`);
    return undefined;
  }
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EACCES: 'the permission is missing',
  EISDIR: 'it is a folder',
};

/** What a server shows of itself, as written: paths or PEM texts. */
interface WrittenIdentity {
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
  readonly key_password?: string | undefined;
}

/**
 * A server's certificate with its key, read from under `at`; undefined after `report` was told why not: one of both is missing,
 * cannot be read, or they do not belong together.
 */
export function readIdentity(
  { cert, key, key_password: password }: WrittenIdentity,
  at: readonly PropertyKey[],
  pemOf: PemOf,
  report: (path: readonly PropertyKey[], message: string) => void,
): { cert: string; key: string; keyPassword?: string } | undefined {
  if (cert === undefined || key === undefined) {
    const missing = cert === undefined ? 'cert' : 'key';
    report([...at, missing], `TLS needs \`cert\` and \`key\`; \`${missing}\` is missing`);
    return undefined;
  }
  const [certPath, keyPath] = [
    [...at, 'cert'],
    [...at, 'key'],
  ];
  const chain = readCertificates(pemOf(certPath, cert), (message) => report(certPath, message));
  const privateKey = readPrivateKey(pemOf(keyPath, key), {
    password,
    cert: chain,
    report: (message) => report(keyPath, message),
  });
  if (chain === undefined || privateKey === undefined) return undefined;
  return { cert: chain, key: privateKey, ...(password === undefined ? {} : { keyPassword: password }) };
}
