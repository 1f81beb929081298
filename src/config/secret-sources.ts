import { resolve } from 'node:path';
import { type PemOf, readCertificates } from './certificates.ts';
import { defaultOf } from './declare.ts';
import { parseDuration } from './parse.ts';
import type { InstanceInput } from './schema-instance.ts';
import { parseVaultAddress, parseVaultPaths, secretSourcesSchema } from './schema-secrets.ts';
import type { SecretSources, VaultLogin, VaultSettings } from './types.ts';

type Report = (path: readonly PropertyKey[], message: string) => void;
/** How values that are paths are read. */
interface Paths {
  /** Where relative paths of the value at a path start. */
  readonly folderOf: (path: readonly PropertyKey[]) => string;
  readonly pemOf: PemOf;
}
type SecretsInput = NonNullable<InstanceInput['secrets']>;
type VaultInput = NonNullable<SecretsInput['vault']>;

const shape = secretSourcesSchema.shape.vault.unwrap().shape;

/** The effective `secrets` of an instance. */
export function resolveSecretSources(input: SecretsInput | undefined, paths: Paths, report: Report): SecretSources {
  const { dir, key, key_file: keyFile } = input ?? {};
  const place = (name: string, file: string) => resolve(paths.folderOf(['secrets', name]), file);
  const vault = input?.vault === undefined ? undefined : resolveVault(input.vault, paths, report);
  return {
    ...(dir === undefined ? {} : { dir: place('dir', dir) }),
    ...(key === undefined ? {} : { key }),
    ...(key !== undefined || keyFile === undefined ? {} : { keyFile: place('key_file', keyFile) }),
    ...(vault === undefined ? {} : { vault }),
  };
}

function resolveVault(input: VaultInput, { folderOf, pemOf }: Paths, report: Report): VaultSettings | undefined {
  const at = (key: string) => ['secrets', 'vault', key];
  const paths = parseVaultPaths(input.paths ?? '') ?? [];
  const address = parseVaultAddress(input.address ?? '');
  if (address === undefined) {
    if (input.address === undefined && paths.length > 0) {
      report(at('paths'), '`paths` needs `address`, where Vault is (variable VAULT_ADDR)');
    }
    return undefined;
  }
  const login = resolveLogin(input, (key, file) => resolve(folderOf(at(key)), file));
  if (login === undefined && paths.length > 0) {
    report(at('paths'), '`paths` needs a login: `token`, `token_file`, `role_id` or `kubernetes_role`');
  }
  const { namespace, cacert } = input;
  const ca =
    cacert === undefined
      ? undefined
      : readCertificates(pemOf(at('cacert'), cacert), (message) => report(at('cacert'), message));
  return {
    address,
    ...(namespace === undefined ? {} : { namespace }),
    ...(ca === undefined ? {} : { ca }),
    login,
    paths,
    refreshMs: parseDuration(input.refresh ?? defaultOf(shape.refresh)) ?? 0,
  };
}

/** The first login that is given of AppRole, Kubernetes, token. VAULT_TOKEN is often there for other programs. */
function resolveLogin(input: VaultInput, place: (key: string, file: string) => string): VaultLogin | undefined {
  const { login_mount: mount, role_id: roleId, secret_id: secretId, secret_id_file: secretIdFile } = input;
  if (roleId !== undefined) {
    return {
      kind: 'approle',
      roleId,
      ...(secretId === undefined ? {} : { secretId }),
      ...(secretIdFile === undefined ? {} : { secretIdFile: place('secret_id_file', secretIdFile) }),
      mount: mount ?? 'approle',
    };
  }
  if (input.kubernetes_role !== undefined) {
    const jwtFile = input.kubernetes_token_file ?? defaultOf(shape.kubernetes_token_file);
    return {
      kind: 'kubernetes',
      role: input.kubernetes_role,
      jwtFile: place('kubernetes_token_file', jwtFile),
      mount: mount ?? 'kubernetes',
    };
  }
  const { token, token_file: file } = input;
  if (token !== undefined) return { kind: 'token', token };
  return file === undefined ? undefined : { kind: 'token', file: place('token_file', file) };
}
