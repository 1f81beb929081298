import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

export const ROOT = join(import.meta.dirname, '../../..');

/** One example of a page: the files of a pipeline folder, and the line of the page where it begins. */
export interface Example {
  readonly line: number;
  /** Content by path in the folder; one file is of `jobs/tests/`. */
  readonly files: ReadonlyMap<string, string>;
}

export function page(name: string): string {
  return readFileSync(join(ROOT, 'docs', name), 'utf8');
}

/**
 * The examples of a page. Each is a row of YAML blocks whose first line names the file that it is, in a comment; the block
 * of a file of `jobs/tests/` is the last of its example.
 *
 * @throws when a block names no file, or blocks at the end have no test
 */
export function examplesOf(text: string): Example[] {
  const examples: Example[] = [];
  let files = new Map<string, string>();
  let from = 0;
  for (const { line, content } of yamlBlocks(text)) {
    const path = /^# ((?:config|jobs\/[\w/-]+)\.yaml)\n/.exec(content)?.[1];
    if (path === undefined) throw new Error(`line ${line}: the first line of a YAML block is # and the path of a file`);
    if (files.size === 0) from = line;
    files.set(path, content);
    if (!path.startsWith('jobs/tests/')) continue;
    examples.push({ line: from, files });
    files = new Map();
  }
  if (files.size > 0) throw new Error(`line ${from}: the example has no test`);
  return examples;
}

function yamlBlocks(text: string): { line: number; content: string }[] {
  const blocks: { line: number; content: string }[] = [];
  for (const match of text.matchAll(/^```yaml\n(.*?)^```$/gms)) {
    blocks.push({ line: text.slice(0, match.index).split('\n').length, content: match[1] ?? '' });
  }
  return blocks;
}

/** Writes an example's files; without a `config.yaml` of its own it gets one with the default target. */
export function writeExample({ files }: Example, folder: string): void {
  const config = 'targets:\n  target:\n    connection: {type: redis, host: 127.0.0.1, port: 6379}\n';
  for (const [path, content] of new Map([['config.yaml', config], ...files])) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), content);
  }
}
