import { readFileSync } from 'node:fs';
import type { SecretSources } from '../config/index.ts';
import { ConfigError } from '../errors.ts';
import { Seal } from './seal.ts';

const HOW_TO_MAKE =
  'Make a key with `openssl rand -base64 32`, keep it in a safe place, and give it to rdi as RDI_SECRETS_KEY, or in a file named by RDI_SECRETS_KEY_FILE or `secrets.key_file`.';

/** What encrypts the values of the store; undefined when no key is given. Throws ConfigError when its file cannot be used. */
export function readSeal({ key, keyFile }: SecretSources): Seal | undefined {
  if (key !== undefined) return new Seal(key.trim());
  if (keyFile === undefined) return undefined;
  let text: string;
  try {
    text = readFileSync(keyFile, 'utf8').trim();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new ConfigError('CONFIG_NOT_FOUND', `the key file ${keyFile} cannot be read: ${code ?? 'unknown reason'}`, {
      fix: HOW_TO_MAKE,
    });
  }
  if (text !== '') return new Seal(text);
  throw new ConfigError('CONFIG_INVALID', `the key file ${keyFile} is empty`, { fix: HOW_TO_MAKE });
}

/** Nothing can be encrypted. */
export function noKey(name: string): ConfigError {
  return new ConfigError('CONFIG_INVALID', `${name} cannot be kept: there is no key to encrypt it with`, {
    fix: HOW_TO_MAKE,
  });
}
