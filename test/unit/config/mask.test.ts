import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { maskDocument, type PipelineDocument, unmaskDocument } from '../../../src/config/index.ts';
import { differencesOf } from '../../../src/control/deployment.ts';

const document = (config: string): PipelineDocument => ({ config, jobs: {}, tests: {}, folder: '/' });

const WRITTEN = {
  'in one line': 'targets:\n  target:\n    connection: {type: redis, password: hunter2pw, db: 0}\n',
  'as a block': 'targets:\n  target:\n    connection:\n      password: |-\n        hunter2pw\n      db: 0\n',
  'as a block that ends the file':
    'targets:\n  target:\n    connection:\n      db: 0\n      password: |\n        hunter2pw\n',
  'as lines of a key':
    'targets:\n  target:\n    connection:\n      key: |\n        -----BEGIN PRIVATE KEY-----\n        hunter2pw\n        -----END PRIVATE KEY-----\n      db: 0\n',
  'behind an alias':
    'sources:\n  shop: {advanced: {sink: {note: &secret hunter2pw}}}\ntargets:\n  target: {connection: {password: *secret, db: 0}}\n  other: {connection: {password: *secret, db: 1}}\n',
  'in a map behind an alias':
    'sources:\n  shop: {advanced: {sink: {note: &place {url: "redis://u:hunter2pw@h"}}}}\ntargets: {target: {connection: *place}}\n',
  'in what is merged':
    'sources:\n  shop: {advanced: {sink: {note: &place {url: "redis://u:hunter2pw@h"}}}}\ntargets: {target: {connection: {<<: *place, db: 0}}}\n',
};

describe('a configuration as it is shown', () => {
  it.each(Object.entries(WRITTEN))('hides a secret %s, stays YAML, and can be given back', (_how, config) => {
    const shown = maskDocument(document(config));
    expect(shown.config).not.toContain('hunter2pw');
    const options = { merge: true };
    const hidden = JSON.stringify(parse(config, options)).replaceAll(/(:\/\/u:)?[^":]*hunter2pw[^"@]*/g, '$1********');
    expect(JSON.stringify(parse(shown.config, options))).toBe(hidden);
    const back = unmaskDocument(shown, document(config));
    expect(parse(back.config, options)).toEqual(parse(config, options));
  });

  it.each(['password: *nowhere', 'password: hunter2pw\n  - ['])(
    'does not fail on, or show, what is no YAML: %s',
    async (wrong) => {
      const config = `targets:\n  target:\n    connection:\n      url: redis://u:hunter2pw@h\n      ${wrong}\n`;
      for (const before of [null, document(WRITTEN['in one line'])]) {
        const differences = await differencesOf(before, document(config));
        expect(JSON.stringify(differences)).not.toContain('hunter2pw');
        expect(differences).toMatchObject([{ diff: expect.stringContaining('not YAML') }]);
      }
    },
  );
});
