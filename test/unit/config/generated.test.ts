import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { generatedFiles, staleFiles } from '../../../scripts/generate.ts';
import { loadPipeline } from '../../../src/config/index.ts';
import { ERROR_CODES } from '../../../src/errors.ts';

const root = join(import.meta.dirname, '../../..');

describe('generated files', () => {
  it('say what the declarations say; else run `npm run generate`', () => {
    expect(staleFiles()).toEqual([]);
  });

  it('tell people not to edit them', () => {
    for (const content of Object.values(generatedFiles())) expect(content.slice(0, 300)).toContain('do not edit');
  });

  it('document every error code', () => {
    for (const code of Object.keys(ERROR_CODES))
      expect(generatedFiles()['docs/errors.md']).toContain(`| \`${code}\` |`);
  });
});

describe('the quickstart', () => {
  const folder = join(root, 'examples/quickstart');

  it('is a valid pipeline without any notice', () => {
    const pipeline = loadPipeline(folder, { env: {} });
    expect(pipeline.notices).toEqual([]);
    expect(pipeline.targets['target']).toEqual({ host: '127.0.0.1', port: 6379 });
  });

  it('configures Debezium so that no setting of its own damages data', () => {
    const lines = readFileSync(join(folder, 'application.properties'), 'utf8').split('\n');
    const entries = lines.filter((line) => line !== '' && !line.startsWith('#')).map((line) => line.split(/=(.*)/s));
    expect(Object.fromEntries(entries)).toMatchObject({
      'debezium.sink.type': 'redis',
      'debezium.sink.redis.address': '127.0.0.1:12001',
      'debezium.sink.redis.message.format': 'extended',
      'debezium.sink.redis.batch.size': '2048',
      'debezium.sink.redis.socket.timeout.ms': '30000',
      'debezium.source.offset.storage': 'io.debezium.storage.redis.offset.RedisOffsetBackingStore',
      'debezium.source.offset.storage.redis.address': '127.0.0.1:12001',
      'debezium.source.decimal.handling.mode': 'string',
      'debezium.format.value.replace.null.with.default': 'false',
      'debezium.source.extended.headers.enabled': 'false',
      'debezium.source.tombstones.on.delete': 'false',
    });
    const text = lines.join('\n');
    expect(text).toContain('#debezium.source.bigint.unsigned.handling.mode=precise');
    expect(text).toContain('#debezium.source.schema.history.internal.redis.address=127.0.0.1:12001');
  });

  it('gives a reason for every property', () => {
    const lines = readFileSync(join(folder, 'application.properties'), 'utf8').split('\n');
    for (const [index, line] of lines.entries()) {
      if (!line.startsWith('debezium.')) continue;
      const block = lines.slice(0, index).lastIndexOf('');
      expect(lines.slice(block + 1, index).some((before) => before.startsWith('# '))).toBe(true);
    }
  });
});
