import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ConfigError } from '../../../src/errors.ts';
import { Seal } from '../../../src/secrets/seal.ts';
import { folderWith } from '../config/files.ts';
import { openWorld, StoredRows } from './secret-world.ts';

const KEY = randomBytes(32).toString('base64');

describe('a value that was set', () => {
  it('is there after a restart, and nowhere readable in the store', async () => {
    const store = new StoredRows();
    const first = await openWorld({ key: KEY }, { store });
    await first.secrets.set('TARGET_DB_PASSWORD', 'kennwort-1');
    expect(store.synced).toBe(1);
    expect(Buffer.from(store.rows.get('TARGET_DB_PASSWORD')!).includes('kennwort')).toBe(false);
    const second = await openWorld({ key: KEY }, { store });
    expect(second.secrets.environment['TARGET_DB_PASSWORD']).toBe('kennwort-1');
    expect(second.secrets.originOf('TARGET_DB_PASSWORD')).toBe('store');
    expect([...second.hidden]).toContain('kennwort-1');
  });

  it('is stronger than a file and a variable, which count again when it is deleted', async () => {
    const dir = folderWith({ NAME: 'of the file\n' });
    const { secrets } = await openWorld({ key: KEY, dir }, { env: { NAME: 'of the process', OTHER: 'o' } });
    expect([secrets.environment['NAME'], secrets.originOf('NAME')]).toEqual(['of the file', 'file']);
    await secrets.set('NAME', 'of the store');
    expect([secrets.environment['NAME'], secrets.originOf('NAME')]).toEqual(['of the store', 'store']);
    expect(await secrets.delete('NAME')).toBe(true);
    expect(await secrets.delete('NAME')).toBe(false);
    expect(secrets.environment['NAME']).toBe('of the file');
    expect(secrets.names()).toEqual(['NAME']);
    expect(secrets.originOf('OTHER')).toBe('environment');
    expect(secrets.originOf('NEITHER')).toBeNull();
  });

  it('may be empty, of many lines, or of any characters', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'grapheme' }), fc.constantFrom(KEY, 'hex'), async (value, key) => {
        const seal = new Seal(key === 'hex' ? 'ab'.repeat(32) : key);
        expect(await seal.open('N', await seal.close('N', value))).toBe(value.toWellFormed());
      }),
      { numRuns: 50 },
    );
  });

  it('needs a key, and the error says how to make one', async () => {
    const { secrets } = await openWorld({});
    const refusal = secrets.set('NAME', 'geheim-7');
    await expect(refusal).rejects.toThrow(ConfigError);
    await expect(refusal).rejects.toThrow(/openssl rand -base64 32/);
    await expect(refusal).rejects.not.toThrow(/geheim-7/);
    expect(secrets.environment['NAME']).toBeUndefined();
  });

  it.each(['', 'a b', '1A', 'A}', 'a'.repeat(254), 'A\n'])('cannot have the name %j', async (name) => {
    const { secrets } = await openWorld({ key: KEY });
    await expect(secrets.set(name, 'v')).rejects.toThrow(/cannot be the name of a secret/);
  });
});

describe('a key', () => {
  it('may be any text, which opens later values and those of an earlier process with one derivation each', async () => {
    const store = new StoredRows();
    const first = await openWorld({ key: 'correct horse battery' }, { store });
    await first.secrets.set('A', '1111');
    await first.secrets.set('B', '2222');
    const second = await openWorld({ key: 'correct horse battery' }, { store });
    await second.secrets.set('C', '3333');
    expect(second.secrets.environment).toMatchObject({ A: '1111', B: '2222', C: '3333' });
    const salts = [...store.rows.values()].map((value) => Buffer.from(value).subarray(1, 17).toString('hex'));
    expect(new Set(salts).size).toBe(1);
    const nonces = [...store.rows.values()].map((value) => Buffer.from(value).subarray(17, 29).toString('hex'));
    expect(new Set(nonces).size).toBe(3);
  });

  it('comes from a file, too; one that is missing or empty is an error that names it', async () => {
    const folder = folderWith({ key: `${KEY}\n`, empty: '\n' });
    const { secrets } = await openWorld({ keyFile: join(folder, 'key') });
    await secrets.set('A', '1');
    expect(secrets.environment['A']).toBe('1');
    await expect(openWorld({ keyFile: join(folder, 'empty') })).rejects.toThrow(/empty is empty.*openssl/s);
    await expect(openWorld({ keyFile: join(folder, 'none') })).rejects.toThrow(/none cannot be read: ENOENT/);
  });

  it.each([
    ['another key', { key: randomBytes(32).toString('hex') }],
    ['a text', { key: 'a text' }],
    ['no key', {}],
  ])('that is %s leaves the value missing, and says so; weaker places do not stand in', async (_, settings) => {
    const store = new StoredRows();
    await (await openWorld({ key: KEY }, { store })).secrets.set('NAME', 'geheim-8');
    const { secrets, lines } = await openWorld(settings, { store, env: { NAME: 'old', OTHER: 'o' } });
    expect(secrets.environment['NAME']).toBeUndefined();
    expect(secrets.environment['OTHER']).toBe('o');
    expect(secrets.originOf('NAME')).toBeNull();
    expect(secrets.names()).toEqual(['NAME']);
    expect(lines.join()).toMatch(/^No value for NAME: it is kept encrypted in the store, and .*RDI_SECRETS_KEY/);
    expect(secrets.whyMissing('NAME')).toContain('kept encrypted');
    expect(secrets.whyMissing('OTHER')).toBeUndefined();
  });

  it('that is right again opens what it closed, and a value that was set anew meanwhile', async () => {
    const store = new StoredRows();
    await (await openWorld({ key: KEY }, { store })).secrets.set('NAME', 'first');
    const other = await openWorld({ key: 'other' }, { store });
    await other.secrets.set('NAME', 'second');
    expect(other.secrets.environment['NAME']).toBe('second');
    expect((await openWorld({ key: KEY }, { store })).secrets.environment['NAME']).toBeUndefined();
  });
});

describe('a sealed value', () => {
  it('does not open under another name, or when one bit of it differs', async () => {
    const seal = new Seal(KEY);
    const sealed = Buffer.from(await seal.close('A', 'value'));
    expect(await seal.open('A', sealed)).toBe('value');
    expect(await seal.open('B', sealed)).toBeUndefined();
    for (let at = 0; at < sealed.length; at++) {
      const damaged = Buffer.from(sealed);
      damaged[at]! ^= 1;
      expect(await seal.open('A', damaged)).toBeUndefined();
    }
    for (let length = 0; length < sealed.length; length++) {
      expect(await seal.open('A', sealed.subarray(0, length))).toBeUndefined();
    }
  });
});

it('a key file does not change what a folder of secrets beside it says', async () => {
  const dir = folderWith({ A: 'a1' });
  writeFileSync(join(dir, '.key'), KEY);
  const { secrets } = await openWorld({ dir, keyFile: join(dir, '.key') });
  expect(secrets.names()).toEqual(['A']);
});
