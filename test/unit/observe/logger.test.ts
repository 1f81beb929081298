import { describe, expect, it } from 'vitest';
import { ConfigError, InternalError } from '../../../src/errors.ts';
import { createLogger, createOnceEvery, type LoggerOptions } from '../../../src/observe/logger.ts';

async function capture(options: Partial<LoggerOptions> = {}) {
  const lines: string[] = [];
  const destination = { write: (line: string) => void lines.push(line) };
  const made = await createLogger({ level: 'info', format: 'json', destination, isTerminal: false, ...options });
  return { ...made, lines, last: () => JSON.parse(lines.at(-1) ?? '{}') as Record<string, unknown> };
}

describe('the log', () => {
  it('is JSON lines with the time as ts, level and message', async () => {
    const { logger, lines, last } = await capture();
    logger.info({ stream: 'a' }, 'hello');
    logger.debug('not shown');
    expect(lines).toHaveLength(1);
    expect(last()).toEqual({ level: 'info', ts: expect.stringMatching(/^\d{4}-.*Z$/), stream: 'a', msg: 'hello' });
  });

  it('is readable on a terminal, and JSON elsewhere, when the format is auto', async () => {
    const terminal = await capture({ format: 'auto', isTerminal: true });
    terminal.logger.info({ stream: 'a' }, 'hello');
    expect(terminal.lines[0]).toContain('hello');
    expect(() => terminal.last()).toThrow();
    const pipe = await capture({ format: 'auto' });
    pipe.logger.info('hello');
    expect(pipe.last()['msg']).toBe('hello');
  });

  it.each(['json', 'pretty'] as const)('never holds a known secret, in %s', async (format) => {
    const { logger, lines, addSecrets } = await capture({ format, secrets: ['geheim"1', 'geheim'] });
    addSecrets(['spaeter-2', '', 'ab']);
    logger.warn({ url: 'redis://u:geheim"1@h', deep: [{ text: 'spaeter-2' }] }, 'a geheim"1 b spaeter-2 c geheim d ab');
    logger.child({ stream: 'spaeter-2' }).error(new Error('geheim"1'));
    logger.error({ err: new Error('outer', { cause: new Error('spaeter-2') }) }, 'x');
    const all = lines.join('');
    expect(all).not.toMatch(/geheim|spaeter-2/);
    expect(all).toContain('a ******** b ******** c ******** d ab');
  });

  it('hides what stands under the name of a secret', async () => {
    const { logger, lines } = await capture();
    logger.info(
      { password: 'p1', users: [{ name: 'n', Password: 'p2' }], tls: { keyPassword: 'p3', key_password: 'p4' } },
      'x',
    );
    logger.child({ token: 'p5' }).info({ authorization: 'p6', password: null }, 'y');
    expect(lines.join('')).not.toMatch(/p\d/);
    expect(lines.join('')).toContain('"name":"n"');
  });

  it('tells errors with code and causes, and a stack only for a bug', async () => {
    const { logger, last } = await capture();
    const cause = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });
    logger.error({ err: new ConfigError('CONFIG_INVALID', 'bad', { cause }) }, 'x');
    expect(last()['err']).toEqual({
      type: 'ConfigError',
      code: 'CONFIG_INVALID',
      message: 'bad.',
      cause: { type: 'Error', code: 'ECONNREFUSED', message: 'connect ECONNREFUSED' },
    });
    logger.error(new AggregateError([new TypeError('t')], 'both'));
    expect(last()['err']).toMatchObject({ errors: [{ type: 'TypeError', stack: expect.any(String) as string }] });
    logger.error({ failure: new InternalError('bug') }, 'x');
    expect(last()['failure']).toMatchObject({
      code: 'INTERNAL',
      stack: expect.stringContaining('logger.test') as string,
    });
  });

  it('survives what cannot be written as JSON', async () => {
    const { logger, lines } = await capture();
    const circle: Record<string, unknown> = {};
    circle['self'] = circle;
    logger.info({ circle, big: 10n, nothing: undefined }, 'x');
    expect(lines).toHaveLength(1);
  });
});

describe('a repeated message', () => {
  it('passes once per interval and key, and tells how often it was held back', () => {
    let now = 0;
    const onceEvery = createOnceEvery(() => now);
    expect(onceEvery(1000, 'a')).toBe(0);
    expect(onceEvery(1000, 'b')).toBe(0);
    now = 999;
    expect(onceEvery(1000, 'a')).toBeUndefined();
    expect(onceEvery(1000, 'a')).toBeUndefined();
    now = 1000;
    expect(onceEvery(1000, 'a')).toBe(2);
    expect(onceEvery(1000, 'a')).toBeUndefined();
    now = 2000;
    expect(onceEvery(1000, 'a')).toBe(1);
  });

  it('passes when the clock stepped back', () => {
    let now = 10_000;
    const onceEvery = createOnceEvery(() => now);
    onceEvery(1000, 'a');
    now = 0;
    expect(onceEvery(1000, 'a')).toBe(0);
  });

  it('remembers only so many keys', () => {
    const onceEvery = createOnceEvery(() => 0);
    for (let key = 0; key < 2000; key++) expect(onceEvery(1000, String(key))).toBe(0);
    expect(onceEvery(1000, '1999')).toBeUndefined();
    expect(onceEvery(1000, '0')).toBe(0);
  });
});
