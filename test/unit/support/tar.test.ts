import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { tar } from '../../../src/support/tar.ts';
import { tempFolder } from '../../helpers/temp-folder.ts';

test('the system’s tar reads every file as it was, of any length', () => {
  const files = new Map([0, 1, 511, 512, 513, 5000].map((size) => [`a/${size}.txt`, 'ä'.repeat(size)]));
  const archive = join(tempFolder(), 'a.tar');
  writeFileSync(archive, tar(files, Date.UTC(2026, 1, 3)));
  expect(execFileSync('tar', ['tf', archive], { encoding: 'utf8' }).trim().split('\n')).toEqual([...files.keys()]);
  for (const [name, text] of files) {
    expect(execFileSync('tar', ['xOf', archive, name], { encoding: 'utf8' })).toBe(text);
  }
});

test('a name that does not fit is refused, not cut', () => {
  expect(() => tar(new Map([['x'.repeat(101), '']]), 0)).toThrow(/too long/);
});
