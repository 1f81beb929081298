import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import {
  type LoadedPipeline,
  loadInstance,
  loadPipelineDocument,
  type SecretSources,
} from '../../../src/config/index.ts';
import type { Secrets } from '../../../src/secrets/index.ts';
import { VaultServer, type VaultServerOptions } from '../../helpers/vault-server.ts';
import { configError, folderWith, pipelineText, variable } from '../../unit/config/files.ts';
import { eventually, openWorld } from '../../unit/secrets/secret-world.ts';

async function startVault(options: VaultServerOptions = {}): Promise<VaultServer> {
  const vault = new VaultServer(options);
  await vault.listen();
  onTestFinished(() => vault.close());
  vault.kv2.set('rdi', { TARGET_DB_USERNAME: 'user-kv2', TARGET_DB_PASSWORD: 'geheim-kv2' });
  vault.kv2.set('redis', { password: 'geheim-redis', port: 6379 });
  vault.kv1.set('rdi', { TARGET_DB_PASSWORD: 'geheim-kv1' });
  return vault;
}

/** Settings as an `rdi.yaml` gives them. */
function settings(vault: VaultServer, more: Record<string, string>, env: Record<string, string> = {}): SecretSources {
  const lines = Object.entries({ address: vault.address, ...more }).map(([key, value]) => `    ${key}: "${value}"\n`);
  const folder = folderWith({ 'rdi.yaml': `secrets:\n  vault:\n${lines.join('')}` });
  return loadInstance({ dir: folder, env }).secretSources;
}

function load(secrets: Secrets, config: string): LoadedPipeline {
  const { environment: env, whyMissing } = secrets;
  return loadPipelineDocument({ config, jobs: {}, tests: {}, folder: '/' }, { env, whyMissing });
}

const TARGET = (password: string) =>
  `targets:\n  target:\n    connection: { type: redis, host: h, port: 1, password: "${password}" }\n`;

describe('Vault', () => {
  it.each([
    ['KV version 2 by the path of the API', 'secret/data/rdi', 'geheim-kv2'],
    ['KV version 2 by the path of the command line', 'secret/rdi', 'geheim-kv2'],
    ['KV version 2 by a whole URL path', '/v1/secret/data/rdi', 'geheim-kv2'],
    ['KV version 1', 'kv/rdi', 'geheim-kv1'],
    ['one field under another name', 'TARGET_DB_PASSWORD=secret/data/redis#password', 'geheim-redis'],
    ['several, of which the last counts', 'kv/rdi, secret/data/rdi', 'geheim-kv2'],
  ])('is read: %s', async (_, paths, expected) => {
    const vault = await startVault();
    const { secrets, lines, hidden } = await openWorld(settings(vault, { token: vault.issue(), paths }));
    expect(lines).toEqual([]);
    expect(secrets.environment['TARGET_DB_PASSWORD']).toBe(expected);
    expect(secrets.originOf('TARGET_DB_PASSWORD')).toBe('vault');
    expect([...hidden]).toContain(expected);
  });

  it('is weaker than files and stronger than variables', async () => {
    const vault = await startVault();
    const dir = folderWith({ TARGET_DB_USERNAME: 'file\n' });
    const sources = { ...settings(vault, { token: vault.issue(), paths: 'secret/rdi' }), dir };
    const { secrets } = await openWorld(sources, { env: { TARGET_DB_USERNAME: 'v', TARGET_DB_PASSWORD: 'v' } });
    expect(secrets.environment).toMatchObject({ TARGET_DB_USERNAME: 'file', TARGET_DB_PASSWORD: 'geheim-kv2' });
  });

  it('takes numbers and maps as their JSON text', async () => {
    const vault = await startVault();
    vault.kv2.set('mixed', { N: 6379, B: true, O: { a: [1] }, E: '', NULL: null });
    const { secrets } = await openWorld(settings(vault, { token: vault.issue(), paths: 'secret/data/mixed' }));
    expect(secrets.environment).toEqual({ N: '6379', B: 'true', O: '{"a":[1]}', E: '' });
  });

  it('is spoken to over TLS with a CA of one’s own, and not when it is another', async () => {
    const folder = folderWith({});
    const { cert, key } = makeServerCertificate(folder);
    const vault = await startVault({ tls: { cert: readFileSync(cert, 'utf8'), key: readFileSync(key, 'utf8') } });
    const more = { token: vault.issue(), paths: 'kv/rdi' };
    const good = await openWorld(settings(vault, { ...more, cacert: cert }));
    expect(good.secrets.environment['TARGET_DB_PASSWORD']).toBe('geheim-kv1');
    const bad = await openWorld(settings(vault, more));
    expect(bad.secrets.names()).toEqual([]);
    expect(bad.lines.join()).toMatch(/cannot be read: it cannot be reached: .*(SELF_SIGNED|VERIFY)/);
  });

  it('is asked in a namespace', async () => {
    const vault = await startVault({ namespace: 'team-a' });
    const more = { token: vault.issue(), paths: 'kv/rdi' };
    expect((await openWorld(settings(vault, { ...more, namespace: 'team-a' }))).secrets.names()).toHaveLength(1);
    expect((await openWorld(settings(vault, more))).secrets.names()).toEqual([]);
  });

  it('of which a standby answers is found by its redirect', async () => {
    const active = await startVault();
    const standby = await startVault();
    standby.redirect = active.address;
    const { secrets } = await openWorld(settings(standby, { token: active.issue(), paths: 'kv/rdi' }));
    expect(secrets.environment['TARGET_DB_PASSWORD']).toBe('geheim-kv1');
  });
});

describe('a login at Vault', () => {
  it('with AppRole, its secret id from a file, at another mount', async () => {
    const vault = await startVault();
    const file = join(folderWith({ id: 'secret-id-1\n' }), 'id');
    const login = { role_id: 'role-1', secret_id_file: file, login_mount: 'machines' };
    const { secrets } = await openWorld(settings(vault, { ...login, paths: 'kv/rdi' }));
    expect(secrets.names()).toEqual(['TARGET_DB_PASSWORD']);
    expect(vault.requests).toEqual(['POST auth/machines/login', 'GET kv/rdi']);
  });

  it('with the service account of a pod', async () => {
    const vault = await startVault();
    const file = join(folderWith({ token: 'jwt-1' }), 'token');
    const login = { kubernetes_role: 'rdi', kubernetes_token_file: file };
    const { secrets } = await openWorld(settings(vault, { ...login, paths: 'kv/rdi' }));
    expect(secrets.names()).toEqual(['TARGET_DB_PASSWORD']);
  });

  it('with a token that an agent keeps in a file', async () => {
    const vault = await startVault();
    const file = join(folderWith({ token: vault.issue() }), 'token');
    const { secrets } = await openWorld(settings(vault, { token_file: file, paths: 'kv/rdi', refresh: '100ms' }));
    vault.tokens.clear();
    writeFileSync(file, vault.issue());
    vault.kv1.set('rdi', { TARGET_DB_PASSWORD: 'geheim-next' });
    let changes = 0;
    secrets.watch(() => changes++);
    await eventually(() => changes === 1);
    expect(secrets.environment['TARGET_DB_PASSWORD']).toBe('geheim-next');
  });

  it.each([
    ['AppRole', { role_id: 'role-1', secret_id: 'geheim-wrong' }, /HTTP 400 \(invalid role or secret ID\)/],
    ['a token', { token: 'geheim-wrong' }, /HTTP 403 \(permission denied\)/],
    ['a file that is not there', { token_file: '/nowhere/token' }, /\/nowhere\/token cannot be read: ENOENT/],
  ])('that is refused, %s, is told without what was sent, and at once', async (_, login, message) => {
    const vault = await startVault();
    const { secrets, lines } = await openWorld(settings(vault, { ...login, paths: 'kv/rdi' }));
    expect(lines).toEqual([expect.stringMatching(message)]);
    expect(lines.join()).not.toContain('geheim');
    expect(secrets.whyMissing('TARGET_DB_PASSWORD')).toMatch(message);
  });

  it('is renewed before its token ends, and made again when the token is gone', async () => {
    const vault = await startVault();
    vault.tokenTtl = 1;
    const login = { role_id: 'role-1', secret_id: 'secret-id-1' };
    const { secrets, lines } = await openWorld(settings(vault, { ...login, paths: 'kv/rdi', refresh: '150ms' }));
    await eventually(() => vault.requests.filter((one) => one === 'POST auth/token/renew-self').length >= 2);
    expect(vault.requests.filter((one) => one.endsWith('/login'))).toHaveLength(1);
    vault.tokens.clear();
    vault.kv1.set('rdi', { TARGET_DB_PASSWORD: 'geheim-later' });
    await eventually(() => vault.requests.filter((one) => one.endsWith('/login')).length === 2);
    secrets.watch(() => {});
    await eventually(() => secrets.environment['TARGET_DB_PASSWORD'] === 'geheim-later');
    expect(lines).toEqual([]);
  });

  it('with a given token is renewed, too', async () => {
    const vault = await startVault();
    vault.tokenTtl = 1;
    await openWorld(settings(vault, { token: vault.issue(), paths: 'kv/rdi', refresh: '150ms' }));
    await eventually(() => vault.requests.filter((one) => one === 'POST auth/token/renew-self').length >= 3);
  });
});

describe('a value in Vault', () => {
  it('that changes, appears or goes is seen', async () => {
    const vault = await startVault();
    const more = { token: vault.issue(), paths: 'secret/data/rdi', refresh: '100ms' };
    const { secrets, hidden } = await openWorld(settings(vault, more));
    const seen: (string | undefined)[] = [];
    secrets.watch(() => seen.push(secrets.environment['TARGET_DB_PASSWORD']));
    vault.kv2.set('rdi', { TARGET_DB_PASSWORD: 'geheim-rotated' });
    await eventually(() => seen.length === 1);
    vault.kv2.set('rdi', null);
    await eventually(() => seen.length === 2);
    expect(seen).toEqual(['geheim-rotated', undefined]);
    expect([...hidden]).toEqual(expect.arrayContaining(['geheim-kv2', 'geheim-rotated']));
    expect(secrets.whyMissing('TARGET_DB_PASSWORD')).toBeUndefined();
  });

  it('with a lease is read again before that ends, and not each time that others are', async () => {
    const vault = await startVault();
    vault.leaseSeconds = 3;
    const paths = 'PW=database/creds/rdi#password, kv/rdi';
    const { secrets } = await openWorld(settings(vault, { token: vault.issue(), paths, refresh: '100ms' }));
    const first = secrets.environment['PW'];
    await eventually(() => vault.requests.filter((one) => one === 'GET kv/rdi').length > 8);
    expect(vault.requests.filter((one) => one.includes('database/creds'))).toHaveLength(1);
    secrets.watch(() => {});
    await eventually(() => secrets.environment['PW'] !== first);
  });

  it('that is not there is an error only where it is needed, which says what is missing', async () => {
    const vault = await startVault();
    const paths = 'PW=secret/data/redis#pasword, OTHER=secret/data/none#x';
    const { secrets } = await openWorld(settings(vault, { token: vault.issue(), paths }));
    expect(load(secrets, pipelineText('')).targets['target']).toBeDefined();
    expect(configError(() => load(secrets, TARGET(variable('PW')))).message).toContain(
      `the variable \`PW\` is not set: \`secret/data/redis\` in Vault at ${vault.address} has no field \`pasword\``,
    );
    expect(configError(() => load(secrets, TARGET(variable('OTHER')))).message).toContain('there is nothing at');
  });
});

describe('Vault being away', () => {
  it('at the start stops only what needs it, and it is found when it comes', async () => {
    const vault = await startVault();
    const sources = settings(vault, { token: vault.issue(), paths: 'kv/rdi', refresh: '200ms' });
    await vault.close();
    const { secrets, lines } = await openWorld(sources);
    expect(lines).toEqual([`Vault at ${vault.address} cannot be read: it cannot be reached: ECONNREFUSED.`]);
    expect(configError(() => load(secrets, TARGET(variable('TARGET_DB_PASSWORD')))).message).toMatch(
      /`TARGET_DB_PASSWORD` is not set: `kv\/rdi` in Vault at .* cannot be read: it cannot be reached: ECONNREFUSED/,
    );
    let changes = 0;
    secrets.watch(() => changes++);
    await vault.listen();
    await eventually(() => changes === 1);
    expect(load(secrets, TARGET(variable('TARGET_DB_PASSWORD'))).targets['target']?.password).toBe('geheim-kv1');
    expect(lines[1]).toBe(`Vault at ${vault.address} can be read again.`);
  });

  it.each(['away', 'sealed'])('%s later takes nothing away, and is told once', async (how) => {
    const vault = await startVault();
    const more = { token: vault.issue(), paths: 'kv/rdi', refresh: '100ms' };
    const { secrets, lines } = await openWorld(settings(vault, more));
    let changes = 0;
    secrets.watch(() => changes++);
    if (how === 'away') await vault.close();
    else vault.isSealed = true;
    await eventually(() => lines.length > 0);
    await new Promise((resolve) => setTimeout(resolve, 700));
    expect(lines).toEqual([
      expect.stringMatching(/cannot be read: .*(ECONNREFUSED|sealed).*What was read last goes on/),
    ]);
    expect([secrets.environment['TARGET_DB_PASSWORD'], changes]).toEqual(['geheim-kv1', 0]);
  });

  it('for a moment at the start is waited for', async () => {
    const vault = await startVault();
    vault.isSealed = true;
    setTimeout(() => {
      vault.isSealed = false;
    }, 200);
    const { secrets } = await openWorld(settings(vault, { token: vault.issue(), paths: 'kv/rdi' }));
    expect(secrets.environment['TARGET_DB_PASSWORD']).toBe('geheim-kv1');
  });
});

describe('a pipeline that names secret providers', () => {
  const PROVIDERS = `secret-providers:
  corp:
    type: vault
    parameters:
      objects:
        - { objectName: TARGET_DB_PASSWORD, secretPath: secret/data/redis, secretKey: password }
  amazon: { type: aws, parameters: { objects: [{ objectName: AWS_PASSWORD }] } }
`;

  it.each([
    ['by the name of an object', variable('TARGET_DB_PASSWORD')],
    ['by provider, path and field', variable('secret:corp:secret/data/redis:password')],
    ['by provider, object and field', variable('secret:corp:TARGET_DB_PASSWORD:password')],
    ['by a provider that it does not define', variable('secret:vault:secret/data/redis:password')],
  ])('gets its values %s', async (_, placeholder) => {
    const vault = await startVault();
    const { secrets, hidden } = await openWorld(settings(vault, { token: vault.issue() }));
    expect(vault.requests).toEqual([]);
    const config = TARGET(placeholder) + PROVIDERS;
    await secrets.prepare({ config });
    expect(load(secrets, config).targets['target']?.password).toBe('geheim-redis');
    expect([...hidden]).toContain('geheim-redis');
  });

  it('keeps them up to date, also while another pipeline is checked', async () => {
    const vault = await startVault();
    const { secrets } = await openWorld(settings(vault, { token: vault.issue(), refresh: '100ms' }));
    const config = TARGET(variable('secret:corp:secret/data/redis:password')) + PROVIDERS;
    await secrets.prepare({ config });
    await secrets.prepare({ config: TARGET(variable('secret:corp:kv/none:x')) });
    await secrets.prepare({ config: pipelineText('') });
    secrets.watch(() => {});
    vault.kv2.set('redis', { password: 'geheim-rotated' });
    await eventually(() => secrets.environment['secret:corp:secret/data/redis:password'] === 'geheim-rotated');
  });

  it('is told when its provider cannot be read here', async () => {
    const { secrets } = await openWorld({});
    const why = async (placeholder: string) => {
      const config = TARGET(variable(placeholder)) + PROVIDERS;
      await secrets.prepare({ config });
      return configError(() => load(secrets, config)).message;
    };
    expect(await why('secret:corp:secret/data/redis:password')).toMatch(
      /has no value: rdi does not know where Vault is/,
    );
    expect(await why('secret:amazon:prod:password')).toMatch(/has no value: rdi does not read providers of type `aws`/);
    expect(await why('secret:corp')).toMatch(/must have the form `\$\{secret:PROVIDER:PATH:FIELD\}`/);
  });
});

/** A certificate for 127.0.0.1 that is its own CA. */
function makeServerCertificate(folder: string): { cert: string; key: string } {
  const [cert, key] = [join(folder, 'vault.crt'), join(folder, 'vault.key')];
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  const name = ['-subj', '/CN=vault', '-addext', 'subjectAltName=IP:127.0.0.1'];
  const args = ['req', '-x509', ...curve, '-keyout', key, '-out', cert, '-days', '2', ...name];
  execFileSync('openssl', args, { stdio: 'ignore', timeout: 20_000 });
  return { cert, key };
}
