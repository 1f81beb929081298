import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { main } from '../../../src/cli/index.ts';
import { capturedTerminal } from '../../helpers/captured-terminal.ts';

const COMMANDS = [
  'run',
  'validate',
  'test',
  'dry-run',
  'status',
  'info',
  'list',
  'get',
  'deploy',
  'list-revisions',
  'get-revision',
  'rollback',
  'delete',
  'start',
  'stop',
  'reset',
  'flush-target',
  'resume',
  'list-jobs',
  'get-job',
  'describe-job',
  'list-metric-collections',
  'get-metric-collection',
  'list-dlqs',
  'get-dlq',
  'list-dlq-records',
  'get-dlq-record',
  'edit-dlq-record',
  'retry-dlq',
  'drop-dlq',
  'export-dlq',
  'monitor',
  'list-contexts',
  'describe-context',
  'set-context',
  'use-context',
  'delete-context',
  'delete-all-contexts',
  'configure-rdi',
  'replay',
  'repair',
  'version',
  'completion',
];

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'rdi-cli-'));
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

async function run(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const terminal = capturedTerminal();
  return { code: await main(args, terminal), ...terminal.printed };
}

describe('program', () => {
  it('explains itself without arguments', async () => {
    const { code, out } = await run();
    expect(code).toBe(0);
    for (const name of COMMANDS) expect(out).toMatch(new RegExp(`^ {2}${name}\\b`, 'm'));
    expect(out).toContain('Exit codes:');
  });

  it.each(COMMANDS)('explains %s', async (name) => {
    const { code, out } = await run(name, '--help');
    expect(code).toBe(0);
    expect(out).toContain(`Usage: rdi ${name}`);
    expect(out.split('\n').filter((line) => line !== '').length).toBeGreaterThan(2);
  });

  it('lists every value of the instance as a flag of run, with variable and default', async () => {
    const { INSTANCE_OPTIONS } = await import('../../../src/config/index.ts');
    const { out } = await run('run', '--help');
    for (const { flag, variable } of INSTANCE_OPTIONS) {
      expect(out).toContain(`--${flag}`);
      expect(out).toContain(variable);
    }
  });

  it.each([
    [['statu'], 'Did you mean status?'],
    [['status', '--liv'], 'Did you mean --live?'],
    [['status', '-o', 'xml'], 'Allowed choices are table, json, yaml'],
    [['replay', 'x'], "required option '--to <host:port>' not specified"],
    [['replay', '--to', 'a:1'], "missing required argument 'file'"],
    [['get-dlq'], "missing required argument 'name'"],
    [['help', 'deplyo'], 'Did you mean deploy?'],
    [['start', '--wait=perhaps'], 'Write --wait or --wait=false'],
    [['stop', '--timeout', 'long'], 'Give a duration such as 30s'],
    [['retry-dlq', '--all', '--since', 'tomorrow?'], 'how long ago: 30m'],
    [['deploy', '--empty', '--dir', 'x'], '--empty and --dir exclude each other'],
    [['rollback', '0'], 'number that list-revisions shows'],
    [['list', '--user', 'a', '--account-key', 'k'], '--user and --account-key exclude each other'],
    [['list', '--cacert', 'a', '--insecure'], '--cacert and --insecure exclude each other'],
    [['list', '--log-level', 'loud'], 'Give TRACE, DEBUG'],
    [['set-context', 'x', '--password', 'p'], 'A context holds no password'],
    [['completion', 'tcsh'], 'Allowed choices are bash, zsh, fish, powershell'],
    [['replay', 'x', '--to', 'a:1', '--rate', '0'], 'whole number from 1'],
  ])('refuses %j as wrong usage, with a hint', async (args, hint) => {
    const { code, err } = await run(...args);
    expect(code).toBe(2);
    expect(err).toContain(hint);
  });

  it.each([
    ['create', '--silent', '--rdi-memory', '30'],
    ['upgrade', '-f'],
    ['install', '--file', 'x'],
    ['install-redisgears'],
    ['install-collector'],
    ['admin', 'anything'],
    ['reset-internal'],
  ])('explains %s of earlier versions, and ends with 2', async (...args) => {
    const { code, err } = await run(...args);
    expect(code).toBe(2);
    expect(err).toMatch(new RegExp(`^rdi ${args[0]} does nothing\\. \\S.*\\.\n$`));
    expect((await run('help')).out).not.toMatch(new RegExp(`^  ${args[0]} `, 'm'));
  });

  it.each([
    ['set', 'deploy'],
    ['describe', 'status'],
    ['get-rejected', 'list-dlq-records'],
    ['replay-dlq', 'retry-dlq'],
    ['add-context', 'set-context'],
  ])('takes %s for %s', async (alias, name) => {
    expect((await run(alias, '--help')).out).toContain(`Usage: rdi ${name}|${alias}`);
  });

  it('prints its version', async () => {
    expect((await run('--version')).out).toMatch(/^rdi \d+\.\d+\.\d+\n$/);
    expect((await run('version')).out).toMatch(/^rdi \d+\.\d+\.\d+ \(Node.js \d+.*\)\n$/);
  });

  it.each(['https://x', '12001', ''])('refuses %j as an address to replay to', async (to) => {
    const { code, err } = await run('replay', 'file', '--to', to);
    expect(code).toBe(2);
    expect(err).toContain('host:port');
  });

  it('ends a replay to nowhere with 3, and of a missing file with 2', async () => {
    const file = 'fixtures/my-3.6-extended/offsets.client.resp.gz';
    const nowhere = await run('replay', file, '--to', '127.0.0.1:1');
    expect(nowhere.code).toBe(3);
    expect(nowhere.err).toMatch(/^REPLAY_UNREACHABLE: Cannot connect to 127.0.0.1:1: ECONNREFUSED/);
    expect((await run('replay', join(folder, 'nothing'), '--to', '127.0.0.1:1')).code).toBe(2);
  });
});

describe('rdi validate', () => {
  it('accepts a valid folder', async () => {
    writeFileSync(
      join(folder, 'config.yaml'),
      'targets:\n  target:\n    connection:\n      host: localhost\n      port: 6379\n      type: redis\n',
    );
    const { code, out, err } = await run('validate', '--dir', folder);
    expect(err).toBe('');
    expect(out).toContain(`${folder} is valid: 1 target, 0 jobs.`);
    expect(code).toBe(0);
  });

  it('lists every problem of every file with its place, and ends with 2', async () => {
    writeFileSync(
      join(folder, 'config.yaml'),
      'targets:\n  target:\n    connection:\n      hots: localhost\n      type: redis\n',
    );
    writeFileSync(join(folder, 'rdi.yaml'), 'listen: nowhere\n');
    const { code, err } = await run('validate', '--dir', folder);
    expect(code).toBe(2);
    expect(err).toMatch(/config\.yaml:4:7: .*hots/);
    expect(err).toMatch(/rdi\.yaml:1:\d+: /);
    expect(err).toMatch(/^\d+ problems$/m);
  });

  it('names the folder that has no config.yaml, and shows the smallest valid one', async () => {
    const { code, err } = await run('validate', '--dir', folder);
    expect(code).toBe(2);
    expect(err).toContain(folder);
    expect(err).toContain('targets:');
  });

  it('prints the verdict as JSON', async () => {
    const { code, out } = await run('validate', '--dir', folder, '-o', 'json');
    expect(code).toBe(2);
    expect(JSON.parse(out)).toMatchObject({ valid: false, problems: [{ line: 0 }] });
  });
});

describe('rdi run', () => {
  it('refuses a folder together with a target', async () => {
    const { code, err } = await run('run', '--dir', folder, '--target', 'redis://127.0.0.1:1');
    expect(code).toBe(2);
    expect(err).toContain('--dir and --target exclude each other');
  });

  it('shows the smallest valid configuration for an empty folder', async () => {
    const { code, err } = await run('run', '--dir', folder);
    expect(code).toBe(2);
    expect(err).toMatch(/^CONFIG_NOT_FOUND: /);
    expect(err).toContain('targets:');
  });
});

describe('rdi completion', () => {
  it.each(['bash', 'zsh', 'fish', 'powershell'])('knows every command and its options: %s', async (shell) => {
    const { out } = await run('completion', shell);
    for (const name of COMMANDS) expect(out).toContain(name);
    expect(out).toContain('data-dir');
    expect(out).toContain('sort-order');
  });

  it('completes in a real bash', async () => {
    const script = join(folder, 'rdi.bash');
    writeFileSync(script, (await run('completion', 'bash')).out);
    const complete = (words: string): string[] => {
      const list = words.split(' ');
      const program = `source '${script}'; COMP_WORDS=(${list.map((word) => `'${word}'`).join(' ')}); COMP_CWORD=${list.length - 1}; _rdi; printf '%s\\n' "\${COMPREPLY[@]}"`;
      return execFileSync('bash', ['-c', program], { encoding: 'utf8', timeout: 10_000 }).trim().split('\n');
    };
    expect(complete('rdi list-dlq')).toEqual(['list-dlqs', 'list-dlq-records']);
    expect(complete('rdi run --dat')).toEqual(['--data-dir']);
    expect(complete('rdi status -o j')).toEqual(['json']);
    expect(complete('rdi list-dlq-records --sort-order a')).toEqual(['asc']);
  });
});
