import { readdirSync, readFileSync, type Stats, statSync } from 'node:fs';
import { join } from 'node:path';
import { canNameSecret } from './names.ts';

/** What a folder of secrets holds at one moment. */
export interface FolderContent {
  /** Values by name. */
  readonly values: ReadonlyMap<string, string>;
  /** Absolute paths of certificates and keys by name; they are no secrets. */
  readonly paths: ReadonlyMap<string, string>;
  /** Files that people other than the owner may read. */
  readonly tooOpen: readonly string[];
  /** What could not be read, in whole sentences. */
  readonly problems: readonly string[];
}

/** Files of a folder `target-db-ssl` (or, as RDI mounts it, `target_db`), and what stands behind `TARGET_DB_`. */
const CERTIFICATE_FILES: Readonly<Record<string, string>> = {
  'ca.crt': 'CACERT',
  'client.crt': 'CERT',
  'client.key': 'KEY',
};
const DATABASE_FOLDER = /^([A-Za-z][A-Za-z0-9-]*)[-_]db(?:[-_]ssl)?$/;
const MAX_BYTES = 1 << 20;

interface Reading {
  readonly values: Map<string, string>;
  readonly paths: Map<string, string>;
  readonly tooOpen: string[];
  readonly problems: string[];
}

/**
 * Reads a folder as Kubernetes mounts a secret: one file per name, its content the value without the newline at its end. Hidden
 * files and folders (`..data`) are passed by. The folders `source-db`, `target-db` may hold such files, too, and with or
 * without `-ssl` certificates under RDI's names. Never throws.
 */
export function readFolder(folder: string): FolderContent {
  const reading: Reading = { values: new Map(), paths: new Map(), tooOpen: [], problems: [] };
  for (const name of list(folder, reading)) {
    const file = join(folder, name);
    const stats = look(file, reading);
    if (stats?.isFile()) {
      if (canNameSecret(name)) readValue(name, file, stats, reading);
    } else if (stats?.isDirectory()) {
      const database = DATABASE_FOLDER.exec(name)?.[1];
      if (database !== undefined) readDatabaseFolder(database, file, reading);
    }
  }
  return reading;
}

function readDatabaseFolder(database: string, folder: string, reading: Reading): void {
  const prefix = `${database.toUpperCase().replaceAll('-', '_')}_DB_`;
  for (const name of list(folder, reading)) {
    const file = join(folder, name);
    const stats = look(file, reading);
    if (!stats?.isFile()) continue;
    const certificate = CERTIFICATE_FILES[name];
    if (certificate !== undefined) {
      reading.paths.set(prefix + certificate, file);
      if (certificate === 'KEY') checkMode(file, stats, reading);
    } else if (name.startsWith(prefix) && canNameSecret(name)) {
      readValue(name, file, stats, reading);
    }
  }
}

function readValue(name: string, file: string, stats: Stats, reading: Reading): void {
  if (stats.size > MAX_BYTES) {
    reading.problems.push(`${file} is larger than 1 MiB, so it is no secret and is not read.`);
    return;
  }
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(readFileSync(file));
    reading.values.set(name, text.replace(/\r?\n$/, ''));
    checkMode(file, stats, reading);
  } catch (error) {
    const reason = error instanceof TypeError ? 'it is not UTF-8 text' : reasonOf(error);
    reading.problems.push(`The secret file ${file} cannot be read: ${reason}.`);
  }
}

function checkMode(file: string, { mode }: Stats, { tooOpen }: Reading): void {
  if (process.platform !== 'win32' && (mode & 0o077) !== 0) tooOpen.push(file);
}

function list(folder: string, { problems }: Reading): string[] {
  try {
    return readdirSync(folder)
      .filter((name) => !name.startsWith('.'))
      .sort();
  } catch (error) {
    problems.push(`The folder of secrets ${folder} cannot be read: ${reasonOf(error)}.`);
    return [];
  }
}

function look(file: string, { problems }: Reading): Stats | undefined {
  try {
    return statSync(file);
  } catch (error) {
    problems.push(`The secret file ${file} cannot be read: ${reasonOf(error)}.`);
    return undefined;
  }
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'it is not there',
  EACCES: 'the permission is missing',
  ENOTDIR: 'it is no folder',
};

function reasonOf(error: unknown): string {
  const { code } = error as NodeJS.ErrnoException;
  return REASONS[code ?? ''] ?? code ?? 'unknown reason';
}
