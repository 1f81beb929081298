import { readdir, readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';

/** A file of the built page. */
export interface PageFile {
  /** Relative to the page, for example `index.html` or `assets/index-BX3k.js`. */
  readonly name: string;
  readonly gzipped: Buffer;
}

const BUILT = join(import.meta.dirname, '../../dist/ui');

/**
 * The files of the page as `scripts/build` left them; empty when it was never built. In the executable this module is replaced by
 * one that holds the files (scripts/lib/build.ts), because nothing is read from a source folder there.
 */
export async function readPageFiles(): Promise<readonly PageFile[]> {
  const entries = await readdir(BUILT, { recursive: true, withFileTypes: true }).catch(() => []);
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return Promise.all(
    files.map(async (file) => ({
      name: relative(BUILT, file).replaceAll('\\', '/'),
      gzipped: await promisify(gzip)(await readFile(file), { level: 9 }),
    })),
  );
}
