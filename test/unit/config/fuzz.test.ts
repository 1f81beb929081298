// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the placeholders are those of the configuration.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { loadInstance, loadPipeline } from '../../../src/config/index.ts';
import { ConfigError } from '../../../src/errors.ts';
import { folderWith } from './files.ts';
import { RDI_FILES, RDI_VARIABLES } from './rdi-files.ts';

const FRAGMENTS = [
  '',
  '\n',
  '\t',
  ':',
  ': ',
  '- ',
  '{',
  '}',
  '[',
  ']',
  '"',
  "'",
  '#',
  '&a ',
  '*a',
  '!x ',
  '|',
  '>',
  '<<: ',
  '? ',
  '---\n',
  '...\n',
  '%',
  '@',
  '`',
  'null',
  '~',
  '0',
  '-1',
  '1.5',
  '1e400',
  '.nan',
  'true',
  'yes',
  '__proto__: 1\n',
  'constructor: 1\n',
  'type: redis\n',
  '${',
  '${A}',
  '$${',
  '${file:/}',
  '\u0000',
  '\ud800',
  '\u2028',
  '😀',
  'x'.repeat(3000),
  '['.repeat(300),
  '{a: '.repeat(80),
];

/** A valid file in which some places were cut out, doubled, moved or overwritten. */
const mutated = (texts: readonly string[]) =>
  fc
    .tuple(
      fc.constantFrom(...texts),
      fc.array(fc.tuple(fc.nat(2000), fc.nat(40), fc.constantFrom(...FRAGMENTS), fc.boolean()), {
        minLength: 0,
        maxLength: 4,
      }),
    )
    .map(([text, changes]) =>
      changes.reduce((current, [place, length, fragment, copy]) => {
        const at = place % (current.length + 1);
        const inserted = copy ? current.slice(at, at + length * 3) : fragment;
        return current.slice(0, at) + inserted + current.slice(copy ? at : at + length);
      }, text),
    );

/** Loads; anything but a valid result or an error whose problems all have a place in the file is a failure. */
function accepts(load: () => unknown, file: string, text: string): boolean {
  try {
    load();
    return true;
  } catch (error) {
    if (!(error instanceof ConfigError) || error.problems.length === 0) throw error;
    const lines = text.split(/\r\n|\n|\r/).length;
    for (const problem of error.problems) {
      expect(problem.file).toBe(file);
      expect(problem.line).toBeGreaterThanOrEqual(1);
      expect(problem.line).toBeLessThanOrEqual(lines);
      expect(problem.col).toBeGreaterThanOrEqual(1);
      expect(problem.message).not.toBe('');
      expect(problem.message).not.toMatch(/undefined|\[object|Error:/);
    }
    return false;
  }
}

const STRANGE_VALUES: readonly unknown[] = [
  null,
  '',
  'x',
  '${A}',
  '${TARGET_DB_USERNAME}',
  0,
  -1,
  1.5,
  1e300,
  true,
  [],
  ['x'],
  [[]],
  {},
  { type: 'redis' },
  { a: null },
  'external',
  'mongodb',
];

/** The content with some members replaced, dropped or renamed, so that the YAML is right and the rest may not be. */
function reshape(content: unknown, choose: (count: number) => number): unknown {
  if (choose(12) === 0) return STRANGE_VALUES[choose(STRANGE_VALUES.length)];
  if (Array.isArray(content)) return content.map((item) => reshape(item, choose));
  if (content === null || typeof content !== 'object') return content;
  const members = Object.entries(content).filter(() => choose(15) !== 0);
  return Object.fromEntries(
    members.map(([key, value]) => [choose(20) === 0 ? `${key}x` : key, reshape(value, choose)]),
  );
}

describe('whatever a file holds, it is accepted or its problems have a place', () => {
  it('config.yaml', () => {
    const folder = folderWith({});
    const file = join(folder, 'config.yaml');
    let accepted = 0;
    fc.assert(
      fc.property(mutated(Object.values(RDI_FILES)), (text) => {
        writeFileSync(file, text);
        if (accepts(() => loadPipeline(folder, { env: RDI_VARIABLES }), file, text)) accepted += 1;
      }),
      { numRuns: 200 },
    );
    expect(accepted).toBeGreaterThan(5);
  });

  it('config.yaml whose values and keys were exchanged', () => {
    const folder = folderWith({});
    const file = join(folder, 'config.yaml');
    const contents = Object.values(RDI_FILES).map((text) => parse(text, { merge: true }) as unknown);
    let accepted = 0;
    fc.assert(
      fc.property(fc.constantFrom(...contents), fc.infiniteStream(fc.nat(1_000_000)), (content, numbers) => {
        const text = stringify(reshape(content, (count) => (numbers.next().value ?? 0) % count));
        writeFileSync(file, text);
        if (accepts(() => loadPipeline(folder, { env: RDI_VARIABLES }), file, text)) accepted += 1;
      }),
      { numRuns: 200 },
    );
    expect(accepted).toBeGreaterThan(0);
  });

  it('rdi.yaml', () => {
    const folder = folderWith({});
    const file = join(folder, 'rdi.yaml');
    const text =
      'listen: 127.0.0.1:1\nhttp: off\ndisk_limit: 20gb\nendpoint:\n  users:\n    - { name: a, password: b }\n  limits: { max_connections: 5 }\nshutdown_deadline: 30s\n';
    fc.assert(
      fc.property(mutated([text]), (changed) => {
        writeFileSync(file, changed);
        accepts(() => loadInstance({ dir: folder, env: {} }), file, changed);
      }),
      { numRuns: 200 },
    );
  });

  it('config.yaml made of arbitrary bytes', () => {
    const folder = folderWith({});
    const file = join(folder, 'config.yaml');
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        writeFileSync(file, bytes);
        accepts(() => loadPipeline(folder, { env: {} }), file, Buffer.from(bytes).toString('latin1'));
      }),
      { numRuns: 200 },
    );
  });
});
