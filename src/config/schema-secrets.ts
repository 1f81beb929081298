import { group, parsed, text, variable } from './declare.ts';
import { parseDuration } from './parse.ts';
import type { VaultPath } from './types.ts';

/** `secrets` of `rdi.yaml`: where values for `${NAME}` come from beside the variables of the process. */

/** The origin of Vault without path and slash; undefined when the text is no http url, or holds a user. */
export function parseVaultAddress(value: string): string | undefined {
  const url = URL.parse(value);
  if (url === null || !/^https?:$/.test(url.protocol) || url.username !== '' || url.password !== '') return undefined;
  return url.origin;
}

const NAME = '[A-Za-z_][A-Za-z0-9_.-]*';
const ENTRY = new RegExp(`^(?:(${NAME})\\s*=\\s*)?([^\\s#=,]+)(?:#(\\S+))?$`);

/** `path`, `path#FIELD` or `NAME=path#field`, separated by commas or lines; undefined when one of them is none. */
export function parseVaultPaths(value: string): VaultPath[] | undefined {
  const paths: VaultPath[] = [];
  const entries = value.split(/[,\n]/).map((entry) => entry.trim());
  for (const entry of entries.filter((one) => one !== '')) {
    const [, name, written = '', field] = ENTRY.exec(entry) ?? [];
    const path = written.replace(/^\/?(?:v1\/)?/, '').replace(/\/+$/, '');
    if (path === '' || (name !== undefined && field === undefined)) return undefined;
    paths.push(field === undefined ? { path } : { path, only: { field, name: name ?? field } });
  }
  return paths;
}

const file = (name: string, description: string, envName = `RDI_${name.toUpperCase().replaceAll('-', '_')}`) =>
  text({ description, placeholder: 'file', flag: name, variable: envName });

const vault = group(
  {
    address: parsed(parseVaultAddress, {
      description: 'Where Vault is.',
      expects: 'a url such as `https://vault.example.net:8200`, without a user',
      example: 'https://vault.example.net:8200',
      placeholder: 'url',
      flag: 'vault-address',
      variable: 'VAULT_ADDR',
    }).optional(),
    namespace: text({
      description: 'Namespace, where Vault has several.',
      placeholder: 'name',
      flag: 'vault-namespace',
      variable: 'VAULT_NAMESPACE',
    }).optional(),
    cacert: file('vault-cacert', 'CA certificates (PEM) that Vault is checked against.', 'VAULT_CACERT').optional(),
    paths: parsed(parseVaultPaths, {
      description:
        'What is read, separated by commas or lines: `path` takes all fields under their own names, `NAME=path#field` one field. Paths as in Vault’s API, `secret/data/rdi`, or as its command line has them, `secret/rdi`.',
      expects: '`path` or `NAME=path#field`, separated by commas',
      example: 'secret/data/rdi, TARGET_DB_PASSWORD=secret/data/redis#password',
      placeholder: 'paths',
      flag: 'vault-paths',
      variable: 'RDI_VAULT_PATHS',
    }).optional(),
    token: text({
      description: 'Log in with this token.',
      secret: true,
      example: variable('VAULT_TOKEN'),
      placeholder: 'text',
      flag: 'vault-token',
      variable: 'VAULT_TOKEN',
    }).optional(),
    token_file: file(
      'vault-token-file',
      'Log in with the token in this file, for example one that Vault’s agent keeps.',
    ).optional(),
    role_id: text({
      description: 'Log in with AppRole, as this role.',
      placeholder: 'id',
      flag: 'vault-role-id',
      variable: 'RDI_VAULT_ROLE_ID',
    }).optional(),
    secret_id: text({
      description: 'Secret id of the role, where it needs one.',
      secret: true,
      example: variable('RDI_VAULT_SECRET_ID'),
      placeholder: 'text',
      flag: 'vault-secret-id',
      variable: 'RDI_VAULT_SECRET_ID',
    }).optional(),
    secret_id_file: file('vault-secret-id-file', 'File that holds the secret id.').optional(),
    kubernetes_role: text({
      description: 'Log in with the service account of this pod, as this role.',
      placeholder: 'name',
      flag: 'vault-kubernetes-role',
      variable: 'RDI_VAULT_KUBERNETES_ROLE',
    }).optional(),
    kubernetes_token_file: text({
      description: 'File with the token of the service account.',
      default: '/var/run/secrets/kubernetes.io/serviceaccount/token',
      placeholder: 'file',
      flag: 'vault-kubernetes-token-file',
      variable: 'RDI_VAULT_KUBERNETES_TOKEN_FILE',
    }).optional(),
    login_mount: text({
      description: 'Where the login method is mounted in Vault. Without it `approle` or `kubernetes`.',
      placeholder: 'path',
      flag: 'vault-login-mount',
      variable: 'RDI_VAULT_LOGIN_MOUNT',
    }).optional(),
    refresh: parsed(parseDuration, {
      description: 'How often values are read again. Those with a lease are read before it ends.',
      default: '60s',
      expects: 'a duration such as `30s` or `2m`',
      placeholder: 'duration',
      flag: 'vault-refresh',
      variable: 'RDI_VAULT_REFRESH',
    }).optional(),
  },
  {
    description:
      'HashiCorp Vault, KV engine of version 1 or 2. Of several logins AppRole is taken before Kubernetes, and that before a token.',
  },
);

export const secretSourcesSchema = group(
  {
    dir: text({
      description:
        'Folder with one file per name, as Kubernetes mounts a secret; its folders `source-db-ssl`, `target-db-ssl` give `SOURCE_DB_CACERT` and so on.',
      placeholder: 'folder',
      flag: 'secrets-dir',
      variable: 'RDI_SECRETS_DIR',
      example: '/run/secrets/rdi',
    }).optional(),
    key: text({
      description:
        'What encrypts the values of `set-secret`: 32 bytes as base64 or hex (`openssl rand -base64 32`), or any text. On the command line it can be seen by others: better use the variable.',
      secret: true,
      placeholder: 'text',
      flag: 'secrets-key',
      variable: 'RDI_SECRETS_KEY',
    }).optional(),
    key_file: file(
      'secrets-key-file',
      'File that holds this key, where `key` is not given. It should be readable for its owner only.',
    ).optional(),
    vault: vault.optional(),
  },
  { description: 'Where values for placeholders come from beside the variables of the process.' },
);
