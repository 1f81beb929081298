import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isSecretName, masker } from '../../../src/support/mask.ts';

const SECRET = 'pä ss/"w+o\\rd&%';

/** Every way in which a secret was seen to stand in a text. */
const SPELLINGS: Readonly<Record<string, (secret: string) => string>> = {
  plain: (secret) => secret,
  'in a URL': (secret) => `redis://user:${encodeURIComponent(secret)}@host`,
  'in a URL with small letters': (secret) =>
    encodeURIComponent(secret).replace(/%[0-9A-F]{2}/g, (code) => code.toLowerCase()),
  'in a form': (secret) => encodeURIComponent(secret).replaceAll('%20', '+'),
  'in JSON': (secret) => JSON.stringify({ x: secret }),
  'in JSON inside JSON': (secret) => JSON.stringify(JSON.stringify({ x: secret })),
  base64: (secret) => Buffer.from(secret).toString('base64'),
  base64url: (secret) => Buffer.from(secret).toString('base64url'),
  'in a Basic login': (secret) => Buffer.from(`u:${secret}`).toString('base64'),
  'in base64 behind two more': (secret) => Buffer.from(`us:${secret}`).toString('base64'),
  hexadecimal: (secret) => Buffer.from(secret).toString('hex'),
};

test.each(Object.keys(SPELLINGS))('a known secret does not stay: %s', (name) => {
  const spell = SPELLINGS[name]!;
  const text = `before ${spell(SECRET)} after`;
  const masked = masker([SECRET])(text);
  expect(masked).toContain('********');
  expect(masked).toMatch(/^before .* after$/);
  for (const other of Object.values(SPELLINGS)) expect(masked).not.toContain(other(SECRET));
});

test('no secret of any letters survives in any spelling', () => {
  fc.assert(
    fc.property(fc.string({ minLength: 6, maxLength: 30, unit: 'grapheme' }), (secret) => {
      const mask = masker([secret]);
      for (const spell of [SPELLINGS['plain']!, SPELLINGS['in JSON']!, SPELLINGS['base64']!]) {
        if (mask(spell(secret)).includes(secret) && !'********'.includes(secret)) throw new Error(spell(secret));
      }
    }),
    { numRuns: 300 },
  );
});

test('the longer of two secrets goes as a whole', () => {
  expect(masker(['abcd', 'abcdefgh'])('x abcdefgh y')).toBe('x ******** y');
});

test('a short secret goes where it stands alone, and tears no word apart', () => {
  expect(masker(['ab'])('"ab" cab ab')).toBe('"********" cab ********');
});

describe('what is not known and named like a secret', () => {
  const mask = masker([]);

  test.each([
    ['password: hunter2', 'password: ********'],
    ['  target_password: "hunter2"', '  target_password: "********"'],
    ['RDI_API_TOKEN=hunter2 next', 'RDI_API_TOKEN=******** next'],
    ['--password=hunter2', '--password=********'],
    ['{"secret":"hunter2","a":1}', '{"secret":"********","a":1}'],
    ['{\\"password\\":\\"hunter2\\"}', '{\\"password\\":\\"********\\"}'],
    ['  password: |\n    hunter2\n    hunter2\n  next: 1', '  password: |\n    ********\n  next: 1'],
    ['redis://u:hunter2@h:1/0', 'redis://u:********@h:1/0'],
    ['authorization: Bearer abcdefghijkl', 'authorization: ******** ********'],
  ])('%s', (text, expected) => {
    expect(mask(text)).not.toContain('hunter2');
    if (!text.includes('Bearer')) expect(mask(text)).toBe(expected);
    else expect(mask(text)).not.toContain('abcdefghijkl');
  });

  test('a private key goes from its first to its last line', () => {
    const pem = '-----BEGIN PRIVATE KEY-----\nMIIE\nabc\n-----END PRIVATE KEY-----';
    expect(mask(`a\n${pem}\nb`)).toBe('a\n********\nb');
  });
});

test('placeholders, names and everything else stay as they are', () => {
  const texts = [
    ['password: $', '{TARGET_DB_PASSWORD}'].join(''),
    'key: "SOURCE_DB_PASSWORD", isSet: true',
    'orders:id:17 {"status":"paid","total":"75.25"}',
    'secrets:\n  dir: /run/secrets',
  ];
  for (const text of texts) expect(masker(['hunter2'])(text)).toBe(text);
});

test('a variable is judged by its name', () => {
  for (const name of ['TARGET_DB_PASSWORD', 'RDI_SECRETS_KEY', 'VAULT_TOKEN', 'JWT_SECRET_KEY']) {
    expect([name, isSecretName(name)]).toEqual([name, true]);
  }
  for (const name of ['HOME', 'RDI_VAULT_TOKEN_FILE', 'RDI_SECRETS_DIR', 'TARGET_DB_USERNAME']) {
    expect([name, isSecretName(name)]).toEqual([name, false]);
  }
});
