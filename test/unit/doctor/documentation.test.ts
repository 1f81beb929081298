import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { CHECKS } from '../../../src/doctor/index.ts';

test('docs/doctor.md explains every check, and no other', () => {
  const page = readFileSync(join(import.meta.dirname, '../../../docs/doctor.md'), 'utf8');
  const documented = [...page.matchAll(/^\| `([a-z-]+)` \|/gm)].map(([, name]) => name);
  expect(documented.filter((name) => !name?.startsWith('-')).sort()).toEqual(Object.keys(CHECKS).sort());
});
