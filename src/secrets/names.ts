import { ConfigError } from '../errors.ts';

/** What a placeholder can refer to. */
const NAME = /^[A-Za-z_][A-Za-z0-9_.-]*$/;
const MAX_NAME_LENGTH = 253;
const MAX_VALUE_BYTES = 1 << 20;

/** Whether a secret can be kept, and referred to, under this name. */
export function canNameSecret(name: string): boolean {
  return name.length <= MAX_NAME_LENGTH && NAME.test(name);
}

/** Throws a {@link ConfigError} when a value cannot be kept under this name. The message holds no value. */
export function checkSecret(name: string, value: string): void {
  if (!canNameSecret(name)) {
    throw new ConfigError('CONFIG_INVALID', `${JSON.stringify(name.slice(0, 80))} cannot be the name of a secret`, {
      fix: 'Use at most 253 letters, digits, `_`, `.`, `-`, the first a letter or `_`, for example TARGET_DB_PASSWORD.',
    });
  }
  if (Buffer.byteLength(value) > MAX_VALUE_BYTES) {
    throw new ConfigError('CONFIG_INVALID', `the value of ${name} is larger than 1 MiB`, {
      fix: 'A secret is a password, a certificate or a key; give the file that is meant.',
    });
  }
}

/** Values in all spellings in which they may turn up in texts; those that are empty are none. */
export function spellings(values: Iterable<string>): string[] {
  const all = new Set<string>();
  for (const value of values) {
    if (value === '') continue;
    all.add(value);
    all.add(encodeURIComponent(value.toWellFormed()));
    if (value.trim() !== '') all.add(value.trim());
  }
  return [...all];
}
