import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { withSecretFiles } from '../../../src/secrets/index.ts';
import { folderWith } from '../config/files.ts';
import { openWorld } from './secret-world.ts';

describe('a folder of secrets', () => {
  it('gives one value per file, without the newline at its end', async () => {
    const dir = folderWith({ A: 'a\n', B: 'b\r\n', C: ' c \n\n', D: '', '.hidden': 'h', 'no name': 'n', 'sub/X': 'x' });
    const { secrets } = await openWorld({ dir });
    expect(secrets.environment).toEqual({ A: 'a', B: 'b', C: ' c \n', D: '' });
    expect(secrets.names()).toEqual(['A', 'B', 'C', 'D']);
  });

  it('gives the paths of certificates as Kubernetes mounts them for RDI, which are no secrets', async () => {
    const dir = folderWith({
      'source-db-ssl/ca.crt': 'x',
      'target-db-ssl/ca.crt': 'x',
      'target-db-ssl/client.crt': 'x',
      'target-db-ssl/client.key': 'x',
      'orders-eu_db/ca.crt': 'x',
      'source-db/SOURCE_DB_USERNAME': 'user-1\n',
      'source-db/other': 'o',
    });
    const { secrets, hidden } = await openWorld({ dir });
    expect(secrets.environment).toEqual({
      SOURCE_DB_CACERT: join(dir, 'source-db-ssl/ca.crt'),
      TARGET_DB_CACERT: join(dir, 'target-db-ssl/ca.crt'),
      TARGET_DB_CERT: join(dir, 'target-db-ssl/client.crt'),
      TARGET_DB_KEY: join(dir, 'target-db-ssl/client.key'),
      ORDERS_EU_DB_CACERT: join(dir, 'orders-eu_db/ca.crt'),
      SOURCE_DB_USERNAME: 'user-1',
    });
    expect([...hidden]).toEqual(['user-1']);
  });

  it('is told about when others may read its files, is not there, or holds what is no text', async () => {
    const dir = folderWith({ A: 'geheim-a', B: 'geheim-b', C: 'c' });
    chmodSync(join(dir, 'A'), 0o640);
    chmodSync(join(dir, 'B'), 0o600);
    chmodSync(join(dir, 'C'), 0o604);
    writeFileSync(join(dir, 'BINARY'), Buffer.of(0xff, 0xfe), { mode: 0o600 });
    writeFileSync(join(dir, 'LARGE'), Buffer.alloc((1 << 20) + 1, 65), { mode: 0o600 });
    const { lines, secrets } = await openWorld({ dir });
    expect(lines).toEqual([
      `The secret file ${join(dir, 'BINARY')} cannot be read: it is not UTF-8 text.`,
      `${join(dir, 'LARGE')} is larger than 1 MiB, so it is no secret and is not read.`,
      `Others than their owner may read secret files: ${join(dir, 'A')}, ${join(dir, 'C')}. Take the permission away (chmod 600; in Kubernetes defaultMode: 0400).`,
    ]);
    expect(secrets.names()).toEqual(['A', 'B', 'C']);
    const missing = await openWorld({ dir: '/nowhere/secrets' });
    expect(missing.lines).toEqual(['The folder of secrets /nowhere/secrets cannot be read: it is not there.']);
    expect(missing.secrets.whyMissing('A')).toContain('/nowhere/secrets cannot be read');
  });

  it('serves commands that run without a store', () => {
    const dir = folderWith({ A: 'file\n' });
    expect(withSecretFiles({ RDI_SECRETS_DIR: dir, A: 'variable', B: 'b' })).toMatchObject({ A: 'file', B: 'b' });
    expect(withSecretFiles({ B: 'b' })).toEqual({ B: 'b' });
  });
});
