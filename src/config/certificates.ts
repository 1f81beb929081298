import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';

/** Reading PEM files at start, so that a wrong one is found then and not at the first handshake. */

type Report = (message: string) => void;

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g;

/** Certificates of a PEM file (one or a chain), as text; undefined after `report` was told why not. */
export function readCertificates(path: string, folder: string, report: Report): string | undefined {
  const text = readPem(path, folder, report);
  if (text === undefined) return undefined;
  const certificates = text.match(CERTIFICATE);
  if (certificates === null) {
    report(`\`${path}\` holds no certificate: a PEM file with \`-----BEGIN CERTIFICATE-----\` is needed`);
    return undefined;
  }
  for (const certificate of certificates) {
    try {
      new X509Certificate(certificate);
    } catch {
      report(`\`${path}\` holds a damaged certificate`);
      return undefined;
    }
  }
  return text;
}

/** A private key of a PEM file, as text; it must open with the pass phrase and belong to the certificate. */
export function readPrivateKey(
  path: string,
  folder: string,
  options: { password: string | undefined; cert: string | undefined; report: Report },
): string | undefined {
  const { password, cert, report } = options;
  const text = readPem(path, folder, report);
  if (text === undefined) return undefined;
  if (!/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(text)) {
    report(`\`${path}\` holds no private key: a PEM file with \`-----BEGIN PRIVATE KEY-----\` is needed`);
    return undefined;
  }
  const isEncrypted = /ENCRYPTED/.test(text);
  if (isEncrypted && password === undefined) {
    report(`the private key \`${path}\` is encrypted; \`key_password\` is needed`);
    return undefined;
  }
  try {
    const key = createPrivateKey({ key: text, ...(password === undefined ? {} : { passphrase: password }) });
    const first = cert?.match(CERTIFICATE)?.[0];
    if (first === undefined || new X509Certificate(first).checkPrivateKey(key)) return text;
    report(`the private key \`${path}\` does not belong to the certificate`);
  } catch {
    report(
      `the private key \`${path}\` cannot be opened${isEncrypted ? '; is `key_password` right?' : ': it is damaged'}`,
    );
  }
  return undefined;
}

function readPem(path: string, folder: string, report: Report): string | undefined {
  if (path.includes('-----BEGIN')) {
    report('the path of a PEM file is needed here, not its content');
    return undefined;
  }
  try {
    return readFileSync(resolve(folder, path), 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    report(`\`${path}\` cannot be read: ${REASONS[code ?? ''] ?? code ?? 'unknown reason'}`);
    return undefined;
  }
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EACCES: 'the permission is missing',
  EISDIR: 'it is a folder',
};
