import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { onTestFinished } from 'vitest';
import { ConfigError, formatProblem } from '../../../src/errors.ts';

/** A folder with these files that lives as long as the test. */
export function folderWith(files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'rdi-config-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  return folder;
}

/** The error that `load` throws; fails when it throws none or something else. */
export function configError(load: () => unknown): ConfigError {
  try {
    load();
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

/** The problems that `load` reports, one line each, with paths relative to `folder`. */
export function problemLines(folder: string, load: () => unknown): string[] {
  return configError(load).problems.map((problem) => formatProblem(problem).replaceAll(`${folder}/`, ''));
}

/** `\${NAME}` for YAML texts in template literals would be read by the template. */
export function variable(name: string): string {
  return `\${${name}}`;
}

/** A pipeline with a target and, under it, the lines of `rest`. */
export function pipelineText(rest: string): string {
  return `targets:\n  target:\n    connection: { type: redis, host: 127.0.0.1, port: 6379 }\n${rest}`;
}
