/**
 * Secrets: values for `${NAME}` from all places, kept up to date, and shown to nobody.
 *
 * **In:** the encrypted values of the store, a folder of files, HashiCorp Vault, the variables of the process. **Out:** one
 * environment for the loader of the configuration, where the store is stronger than files, these than Vault, and that than
 * variables; and a call when something changed.
 *
 * **Promises**
 * - No value in a log, a message or an error. All values are handed to the log's filter before anything else is told.
 * - A value that is kept but cannot be decrypted is missing, whatever weaker places have under its name: rdi must not log in
 *   with what was replaced. It stops nothing but what needs it.
 * - Vault being away takes no value away: what was read last goes on.
 * - A file that is being written is not taken before two readings are the same.
 *
 * **Does not:** reload a pipeline (`control` does), or decide what is used.
 *
 * Format of a value in the store: `seal.ts`. Form of the folder: `folder.ts`. Vault's API: `vault-client.ts`.
 */
import type { Environment } from '../config/index.ts';
import { readFolder } from './folder.ts';

export { openSecrets, type SecretsOptions } from './joined-secrets.ts';
export type { SecretOrigin, SecretStore, Secrets } from './types.ts';

/**
 * The variables of the process with the values of a folder of secrets over them: for what must be known before the store is
 * open, and for commands that check files without a running rdi. Without a folder, RDI_SECRETS_DIR names it.
 */
export function withSecretFiles(env: Environment, dir: string | undefined = env['RDI_SECRETS_DIR']): Environment {
  if (dir === undefined || dir === '') return env;
  const { values, paths } = readFolder(dir);
  return { ...env, ...Object.fromEntries(paths), ...Object.fromEntries(values) };
}
