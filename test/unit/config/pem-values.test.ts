// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the placeholders are those of the configuration.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadInstance, loadPipeline } from '../../../src/config/index.ts';
import { makeCertificate } from './certificates.ts';
import { folderWith, problemLines, variable } from './files.ts';

const pipeline = (rest: string) =>
  `targets:\n  target:\n    connection:\n      type: redis\n      host: h\n      port: 1\n      ${rest}\n`;

describe('a certificate or key of a target', () => {
  it('may be PEM text where a placeholder brings it, and is then no file', () => {
    const { cert, key } = makeCertificate(folderWith({}));
    const [certPem, keyPem] = [readFileSync(cert, 'utf8'), readFileSync(key, 'utf8')];
    const dir = folderWith({
      'config.yaml': pipeline(
        `cacert: "${variable('CA')}"\n      cert: "${variable('CERT')}"\n      key: "${variable('KEY')}"`,
      ),
    });
    const { targets, files, secrets } = loadPipeline(dir, { env: { CA: certPem, CERT: certPem, KEY: keyPem } });
    expect(targets['target']?.tls).toEqual({ ca: certPem, cert: certPem, key: keyPem });
    expect(files).toEqual([]);
    expect(secrets).toContain(keyPem);
  });

  it('may still be a path, also from a placeholder, and is among the files to watch', () => {
    const folder = folderWith({});
    const { cert, key } = makeCertificate(folder);
    const dir = folderWith({
      'config.yaml': pipeline(`cert: "${variable('CERT')}"\n      key: ${key}`),
      'password.txt': 'p\n',
    });
    const { files } = loadPipeline(dir, { env: { CERT: cert } });
    expect(files.toSorted()).toEqual([cert, key].toSorted());
    const old = folderWith({
      'config.yaml': pipeline(`password: "${variable('file:password.txt')}"`),
      'password.txt': 'p',
    });
    expect(loadPipeline(old, { env: {} }).files).toEqual([join(old, 'password.txt')]);
  });

  it('that is wrong is shown by its placeholder, not by its value', () => {
    const cases = [
      ['not-a-file', '`${CA}` cannot be read: there is no such file'],
      ['-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----', '`${CA}` holds a damaged certificate'],
      [
        '-----BEGIN PUBLIC KEY-----',
        '`${CA}` holds no certificate: a PEM file with `-----BEGIN CERTIFICATE-----` is needed',
      ],
    ];
    const dir = folderWith({ 'config.yaml': pipeline(`cacert: "${variable('CA')}"`) });
    for (const [value, message] of cases) {
      expect(problemLines(dir, () => loadPipeline(dir, { env: { CA: value } }))).toEqual([
        `config.yaml:7:7: ${message}`,
      ]);
    }
  });
});

describe('a certificate of the endpoint', () => {
  it('may be PEM text of a placeholder, too', () => {
    const { cert, key } = makeCertificate(folderWith({}));
    const env = { CERT: readFileSync(cert, 'utf8'), KEY: readFileSync(key, 'utf8') };
    const text = `endpoint: { tls: { cert: "${variable('CERT')}", key: "${variable('KEY')}" } }\n`;
    const { endpoint, secrets } = loadInstance({ dir: folderWith({ 'rdi.yaml': text }), env });
    expect(endpoint.tls).toMatchObject({ cert: env.CERT, key: env.KEY });
    expect(secrets).toContain(env.KEY);
  });
});

describe('a placeholder', () => {
  it('does not take what every object has for a variable', () => {
    for (const name of ['constructor', '__proto__', 'toString', 'hasOwnProperty']) {
      const dir = folderWith({ 'config.yaml': pipeline(`password: "${variable(name)}"`) });
      expect(problemLines(dir, () => loadPipeline(dir, { env: {} }))).toEqual([
        `config.yaml:7:17: the variable \`${name}\` is not set`,
      ]);
    }
  });

  it('takes the secret of 2023 from today’s name', () => {
    const dir = folderWith({ 'config.yaml': pipeline(`password: "${variable('secrets:target-password')}"`) });
    const { targets, notices } = loadPipeline(dir, { env: { TARGET_DB_PASSWORD: 'p' } });
    expect(targets['target']?.password).toBe('p');
    expect(notices.map(({ message }) => message).join()).toContain('form of 2023');
  });
});
