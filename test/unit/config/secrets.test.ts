// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the placeholders are those of the configuration.
import { describe, expect, it } from 'vitest';
import { loadInstance, loadPipeline } from '../../../src/config/index.ts';
import { configError, folderWith } from './files.ts';

/** Every place of a pipeline where a secret may stand; `S<n>` is the secret. */
const PIPELINE = `sources:
  a:
    connection: { type: postgresql, user: u, password: S1-geheim, key_password: S2-geheim }
    advanced:
      source: { database.password: S3-geheim, my.token: S4-geheim, database.history.consumer.ssl.keystore.password: S5-geheim }
      sink: { redis.password: S6-geheim }
  b:
    connection: { type: mongodb, connection_string: "mongodb://u:S7-geheim@m1:1,m2:2/?x=y", password: S8-geheim }
  c:
    type: riotx
    connection: { type: snowflake, url: u, user: u, database: d, warehouse: w, password: S9-geheim }
targets:
  target:
    connection: { url: "redis://u:S10%2Fgeheim@h", password: "S11-geheim\${MORE}" }
  sentinel:
    connection: { sentinel: { name: m, nodes: ["a:1"], password: S12-geheim }, type: redis, password: "\${FROM_ENV}" }
`;
const ENV = { FROM_ENV: 'S13-geheim', MORE: 'x' };

describe('secrets', () => {
  it('of a pipeline are all known to the log', () => {
    const { secrets } = loadPipeline(folderWith({ 'config.yaml': PIPELINE }), { env: ENV });
    for (let number = 1; number <= 13; number++) {
      const spelled = number === 10 ? 'S10/geheim' : number === 11 ? 'S11-geheimx' : `S${number}-geheim`;
      expect(secrets).toContain(spelled);
    }
  });

  it('are replaced in what may be shown, and placeholders are not', () => {
    const { document, notices } = loadPipeline(folderWith({ 'config.yaml': PIPELINE }), { env: ENV });
    const shown = JSON.stringify(document) + JSON.stringify(notices);
    expect(shown).not.toMatch(/S\d+.{1,3}geheim/);
    expect(shown).toContain('${FROM_ENV}');
    expect(shown).toContain('mongodb://u:********@m1:1,m2:2/?x=y');
  });

  it('are in no message, whatever is wrong with the file', () => {
    const broken = [
      PIPELINE.replace('type: postgresql', 'type: nonsense'),
      PIPELINE.replace('redis://', 'http://'),
      PIPELINE.replace('type: redis', 'type: redis, host: h'),
      PIPELINE.replaceAll('password:', 'pasword:'),
      PIPELINE.replaceAll('password: S', 'password: *S'),
      PIPELINE.replaceAll('password: S', 'password: !S'),
      PIPELINE.replaceAll('password: S', 'password: }S'),
      PIPELINE.replaceAll(/password: (S\d+-geheim)/g, 'password: [$1]'),
      PIPELINE.replaceAll(/password: (S\d+-geheim)/g, 'password: {$1: $1}'),
      PIPELINE.replaceAll('S11-geheim', 'S11-geheim${'),
      PIPELINE.replace('"${FROM_ENV}"', '"${FROM_ENV}", port: "${FROM_ENV}", db: "${FROM_ENV}", tls: "${FROM_ENV}"'),
    ];
    for (const text of broken) {
      const error = configError(() => loadPipeline(folderWith({ 'config.yaml': text }), { env: ENV }));
      // A key that is not known is named, and a secret that became a key by a slip in the braces is one.
      expect(error.message.replaceAll(/unknown key `[^`]*`/g, '')).not.toMatch(/S\d+.{1,3}geheim/);
    }
  });

  it('of an instance are known to the log and in no message', () => {
    const flags = { password: 'P1-geheim', target: 'redis://u:P2-geheim@h' };
    expect(loadInstance({ flags, env: {} }).secrets).toEqual(['P2-geheim', 'P1-geheim']);
    const wrong = configError(() => loadInstance({ flags: { target: 'http://u:P2-geheim@h' }, env: {} }));
    expect(wrong.message).not.toContain('geheim');
  });
});
