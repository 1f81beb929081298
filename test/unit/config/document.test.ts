import { describe, expect, it } from 'vitest';
import { loadPipelineDocument } from '../../../src/config/index.ts';
import { ConfigError } from '../../../src/errors.ts';

const JOB = 'source: {table: orders}\noutput:\n  - uses: redis.write\n    with: {connection: target}\n';
const config = 'targets: {target: {connection: {type: redis, host: 127.0.0.1, port: 6379}}}\n';

function load(jobs: Record<string, string>, tests: Record<string, string> = {}) {
  return loadPipelineDocument({ config, jobs, tests, folder: '/' }, { env: {} });
}

describe('texts that are deployed', () => {
  it.each([
    '../orders.yaml',
    '/etc/orders.yaml',
    'a/b.yaml',
    'a\\b.yaml',
    '..',
    '.hidden.yaml',
    'orders',
    'a\x1b[2J.yaml',
    '',
  ])('are refused when the name of a job or test leads elsewhere, or is none: %j', (name) => {
    expect(() => load({ [name]: JOB })).toThrow(ConfigError);
    expect(() => load({ [name]: JOB })).toThrow(`jobs/${JSON.stringify(name)}: this is no name of a file`);
    expect(() => load({}, { [name]: '' })).toThrow(`jobs/tests/${JSON.stringify(name)}: this is no name of a file`);
  });

  it.each(['orders.yaml', 'Bestellungen für Köln.yml', 'a.b-c_1.yaml'])('may be called %s', (name) => {
    expect(load({ [name]: JOB }, { [name]: '' }).jobs).toHaveLength(1);
  });
});
