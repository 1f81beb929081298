import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { loadInstance, loadPipelineDocument } from '../../../src/config/index.ts';
import { ConfigError } from '../../../src/errors.ts';
import { createLogger } from '../../../src/observe/logger.ts';
import { openSecrets } from '../../../src/secrets/index.ts';
import { folderWith, variable } from '../config/files.ts';
import { StoredRows } from './secret-world.ts';

/** Values that no text holds by chance, with everything that quoting, encoding and YAML could stumble over. */
const secret = fc
  .tuple(
    fc.string({ unit: fc.constantFrom(...'aZ09'), minLength: 6, maxLength: 12 }),
    fc.string({ unit: fc.constantFrom(...`%"'\\$ #:@/{}[]&*!|>?äß\u{1f511}\n-`), maxLength: 6 }),
  )
  .map(([letters, odd]) => `Qx${letters}${odd}${letters}xQ`);

/** The part of a value that would give it away. */
const core = (value: string) => value.slice(0, 8);

/** Every place of a pipeline that may hold a placeholder, right or wrong. */
const PLACES = [
  (ref: string) => `targets: {target: {connection: {type: redis, host: h, port: 1, password: "${ref}"}}}`,
  (ref: string) => `targets: {target: {connection: {type: "${ref}", host: h, port: 1}}}`,
  (ref: string) => `targets: {target: {connection: {type: redis, host: "${ref}", port: "${ref}"}}}`,
  (ref: string) => `targets: {target: {connection: {url: "redis://u:${ref}@h:1"}}}`,
  (ref: string) => `targets: {target: {connection: {url: "${ref}"}}}`,
  (ref: string) => `targets: {target: {connection: {type: redis, host: h, port: 1, cacert: "${ref}"}}}`,
  (ref: string) => `targets: {target: {connection: {type: redis, host: h, port: 1, cert: "${ref}", key: "${ref}"}}}`,
  (ref: string) => `targets: {target: {connection: {type: redis, host: h, port: 1, db: "${ref}", tls: "${ref}"}}}`,
  (ref: string) => `targets: {target: {connection: {sentinel: {name: m, nodes: ["${ref}"]}}}}`,
  (ref: string) => `processors: {error_handling: "${ref}", read_batch_size: "${ref}"}`,
  (ref: string) => `processors: {advanced: {source: {"batch.size": "${ref}"}}}`,
  (ref: string) => `metadata: {tags: ["${ref}"]}`,
  (ref: string) => `sources: {s: {connection: {type: mysql, host: h, port: 1, user: "${ref}", password: "${ref}"}}}`,
  (ref: string) => `sources: {s: {connection: {type: "${ref}"}}}`,
  (ref: string) => `sources: {s: {connection: {type: mysql}, tables: {t: {columns: [a], keys: ["${ref}"]}}}}`,
  (ref: string) => `secret-providers: {v: {type: vault, parameters: {objects: [{objectName: "${ref}"}]}}}`,
  (ref: string) => `secret-providers: {v: {type: "${ref}"}}`,
];

describe('the value of a secret', () => {
  it('is in no problem, notice or document of a pipeline, wherever a placeholder stands', () => {
    fc.assert(
      fc.property(secret, fc.constantFrom(...PLACES), fc.constantFrom('%', 'a%', '%%', '$%'), (value, place, form) => {
        const config = place(form.replaceAll('%', () => variable('S')));
        const shown = show(() => {
          const { document, notices } = loadPipelineDocument(
            { config, jobs: {}, tests: {}, folder: '/' },
            { env: { S: value } },
          );
          return JSON.stringify({ document, notices });
        });
        expect(shown).not.toContain(core(value));
      }),
      { numRuns: 1000 },
    );
  });

  it('is in no problem of an instance', () => {
    const places = [
      'endpoint: { tls: { cert: "%", key: "%" } }',
      'endpoint: { password: "%", user: u, limits: { max_arguments: "%" } }\nlog_level: "%"',
      'http: { tls: { cert: "%", key: "%" } }',
      'secrets: { vault: { address: "%", token: "%" } }',
      'secrets: { vault: { address: "https://v", cacert: "%", paths: "%=" } }',
      'target: "http://%"',
    ];
    fc.assert(
      fc.property(secret, fc.constantFrom(...places), (value, place) => {
        const dir = folderWith({ 'rdi.yaml': place.replaceAll('%', variable('S')) });
        const shown = show(() => JSON.stringify(loadInstance({ dir, env: { S: value } }).notices));
        expect(shown).not.toContain(core(value));
      }),
      { numRuns: 200 },
    );
  });

  it('is in no line of the log, whatever is logged around it', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(secret, { minLength: 3, maxLength: 3 }),
        async ([stored = '', file = '', late = '']) => {
          const lines: string[] = [];
          const destination = { write: (line: string) => void lines.push(line) };
          const { logger, addSecrets } = await createLogger({ level: 'trace', format: 'json', destination });
          const dir = folderWith({ FILE: `${file}\n` });
          const settings = { key: 'ab'.repeat(32), dir };
          const secrets = await openSecrets({ store: new StoredRows(), env: {}, settings, logger, addSecrets });
          await secrets.set('STORED', stored);
          writeFileSync(join(dir, 'FILE'), `${late}\n`);
          secrets.close();
          const again = await openSecrets({ store: new StoredRows(), env: {}, settings, logger, addSecrets });
          again.close();
          for (const value of [stored, file, late]) {
            logger.error({ err: new Error(`it said ${value}`), value, deep: { list: [value] } }, `refused ${value}!`);
            logger.child({ value }).warn(`redis://user:${encodeURIComponent(value)}@host`);
          }
          for (const value of [stored, file, late]) expect(lines.join('')).not.toContain(core(value));
        },
      ),
      { numRuns: 40 },
    );
  });

  it('is in no error of setting it', async () => {
    await fc.assert(
      fc.asyncProperty(secret, async (value) => {
        const logger = { info: () => {}, warn: () => {} } as never;
        const secrets = await openSecrets({ store: new StoredRows(), env: {}, settings: {}, logger });
        for (const name of ['NAME', 'no name', '']) {
          const error = await secrets.set(name, value).catch((one: unknown) => one);
          expect(error).toBeInstanceOf(ConfigError);
          const { message, stack, cause } = error as ConfigError;
          expect(`${message}${stack}${cause}`).not.toContain(core(value));
        }
        secrets.close();
      }),
      { numRuns: 20 },
    );
  });
});

/** What `load` shows, or the text of the error that it throws. */
function show(load: () => string): string {
  try {
    return load();
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return `${error.message}\n${JSON.stringify(error.problems)}`;
  }
}
