import { describe, expect, it } from 'vitest';
import { SecretDesk } from '../../../src/control/secret-desk.ts';
import { folderWith, variable } from '../config/files.ts';
import { openWorld } from '../secrets/secret-world.ts';

const CONFIG = `targets:
  target:
    connection: { type: redis, host: "${variable('HOST_IP')}", port: 1, password: "${variable('TARGET_DB_PASSWORD')}" }
sources:
  old: { connection: { type: mysql, password: "${variable('env:PW')}", user: "$$${variable('NOT_ONE')}" } }
`;

async function desk(reload: () => Promise<void> = async () => {}) {
  const dir = folderWith({ UNUSED: 'u\n' });
  const { secrets } = await openWorld({ key: 'ab'.repeat(32), dir }, { env: { HOST_IP: 'h', PATH: '/bin' } });
  return new SecretDesk({ secrets, document: () => ({ config: CONFIG }), reload });
}

describe('the list of secrets', () => {
  it('holds what is there and what the configuration refers to, and no other variable', async () => {
    const secrets = await desk();
    await secrets.set('TARGET_DB_PASSWORD', 'v');
    expect(secrets.list()).toEqual([
      { name: 'HOST_IP', origin: 'environment', isSet: true, isUsed: true },
      { name: 'REDIS_DI_PW', origin: null, isSet: false, isUsed: true },
      { name: 'TARGET_DB_PASSWORD', origin: 'store', isSet: true, isUsed: true },
      { name: 'UNUSED', origin: 'file', isSet: true, isUsed: false },
    ]);
  });
});

describe('a change of a secret', () => {
  it('has the pipeline reload, and is kept although that fails', async () => {
    let reloads = 0;
    const secrets = await desk(async () => {
      reloads++;
      throw new Error('only half of a pair');
    });
    await secrets.set('TARGET_DB_USERNAME', 'u');
    expect(secrets.list().find(({ name }) => name === 'TARGET_DB_USERNAME')?.isSet).toBe(true);
    expect(await secrets.delete('TARGET_DB_USERNAME')).toBe(true);
    expect(await secrets.delete('TARGET_DB_USERNAME')).toBe(false);
    expect(await secrets.delete('UNUSED')).toBe(false);
    expect(reloads).toBe(2);
  });
});
