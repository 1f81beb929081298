import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

/** A self-signed certificate with its key, as files in `folder`. */
export function makeCertificate(folder: string, name = 'self', password?: string): { cert: string; key: string } {
  const cert = join(folder, `${name}.crt`);
  const key = join(folder, `${name}.key`);
  const protect = password === undefined ? ['-nodes'] : ['-passout', `pass:${password}`];
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1'];
  execFileSync(
    'openssl',
    ['req', '-x509', ...curve, ...protect, '-keyout', key, '-out', cert, '-days', '2', '-subj', `/CN=${name}`],
    { stdio: 'ignore', timeout: 20_000 },
  );
  return { cert, key };
}
