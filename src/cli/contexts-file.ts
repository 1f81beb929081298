import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { ConfigError } from '../errors.ts';
import { NotFound } from './exit-codes.ts';
import type { Terminal } from './terminal.ts';

/** A named place of an rdi, as `~/.redis-di` keeps it (RDI 1.19). Passwords and keys are never kept. */
export interface ApiContext {
  readonly 'api-url'?: string;
  readonly user?: string;
  readonly 'account-key'?: string;
  readonly cacert?: string;
  readonly insecure?: boolean;
}

/** The content of the file. */
export interface Contexts {
  /** Name of the context that counts when none is named; null when there is none. */
  readonly current: string | null;
  readonly contexts: Readonly<Record<string, ApiContext>>;
}

/** Where the contexts are kept; undefined for a process without a home. */
export function contextsFile(env: Terminal['env']): string | undefined {
  const home = env['HOME'] ?? env['USERPROFILE'];
  return home === undefined || home === '' ? undefined : join(home, '.redis-di');
}

/**
 * Reads the contexts; none when there is no file.
 *
 * @throws ConfigError for a file that cannot be understood, or that an earlier redis-di wrote
 */
export async function readContexts(env: Terminal['env']): Promise<Contexts> {
  const file = contextsFile(env);
  const text = file === undefined ? undefined : await readIfThere(file);
  if (file === undefined || text === undefined || text.trim() === '') return { current: null, contexts: {} };
  const content = await parse(file, text);
  if (isOfOldForm(content)) throw oldForm(file);
  const { contexts, 'current-context': current } = content as Record<string, unknown>;
  if (!isMap(contexts ?? {}) || !Object.values(contexts ?? {}).every(isMap)) {
    throw notUnderstood(file, '`contexts` must map names to settings');
  }
  return {
    current: typeof current === 'string' && current !== '' ? current : null,
    contexts: (contexts ?? {}) as Record<string, ApiContext>,
  };
}

/** Replaces the file in one step. Only its owner may read it. */
export async function writeContexts(env: Terminal['env'], { current, contexts }: Contexts): Promise<void> {
  const file = contextsFile(env);
  if (file === undefined) {
    throw new ConfigError('CONFIG_INVALID', 'Contexts cannot be kept: this process has no home folder', {
      fix: 'Set HOME, or give --api-url with each command.',
    });
  }
  const { stringify } = await import('yaml');
  const content = { ...(current === null ? {} : { 'current-context': current }), contexts };
  const draft = `${file}.${process.pid}.new`;
  await mkdir(dirname(file), { recursive: true });
  await writeFile(draft, stringify(content), { mode: 0o600 });
  await rename(draft, file);
}

/** The context of that name. @throws NotFound that lists the names there are */
export function contextNamed({ contexts }: Contexts, name: string): ApiContext {
  const found = Object.hasOwn(contexts, name) ? contexts[name] : undefined;
  if (found !== undefined) return found;
  const names = Object.keys(contexts);
  const known = names.length === 0 ? 'There is none yet' : `There are: ${names.join(', ')}`;
  throw new NotFound('CONFIG_INVALID', `There is no context ${name}`, {
    fix: `${known}. Make one with rdi set-context ${name} --api-url URL.`,
  });
}

async function readIfThere(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return undefined;
    throw new ConfigError('CONFIG_NOT_FOUND', `The contexts cannot be read: ${code}`, { where: file, cause: error });
  }
}

async function parse(file: string, text: string): Promise<unknown> {
  const { parse: parseYaml } = await import('yaml');
  let content: unknown;
  try {
    content = parseYaml(text);
  } catch (error) {
    throw notUnderstood(file, String((error as Error).message).split('\n')[0]!);
  }
  if (!isMap(content) && !Array.isArray(content)) throw notUnderstood(file, 'it must be a map');
  return content;
}

/** Up to 1.18 the file was a list of database connections, one of them with `is_active`. */
function isOfOldForm(content: unknown): boolean {
  if (Array.isArray(content)) return true;
  const { contexts, ...rest } = content as Record<string, unknown>;
  if (Array.isArray(contexts)) return true;
  const parts = [...Object.values(isMap(contexts) ? contexts : {}), ...Object.values(rest)];
  return parts.some((part) => Array.isArray(part) || (isMap(part) && ('is_active' in part || 'rdi_host' in part)));
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function oldForm(file: string): ConfigError {
  return new ConfigError('CONFIG_INVALID', 'The contexts were written by redis-di 1.18 or earlier', {
    where: file,
    fix:
      'They name databases; rdi and redis-di from 1.19 on name the address of an API. Move the file away ' +
      `(mv ${file} ${file}.old), then make each context anew: rdi set-context NAME --api-url http://host:8080, ` +
      'and choose one with rdi use-context NAME.',
  });
}

function notUnderstood(file: string, reason: string): ConfigError {
  return new ConfigError('CONFIG_INVALID', `The contexts cannot be understood: ${reason}`, {
    where: file,
    fix: 'Correct the file, or move it away and make the contexts anew with rdi set-context.',
  });
}
