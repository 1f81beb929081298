import { describe, expect, it } from 'vitest';
import { LogMemory } from '../../../src/observe/log-memory.ts';
import { createLogger, type LoggerOptions } from '../../../src/observe/logger.ts';

async function remember(options: Partial<LoggerOptions> = {}) {
  const memory = new LogMemory();
  const destination = { write: () => {} };
  const made = await createLogger({
    level: 'info',
    format: 'json',
    destination,
    isTerminal: false,
    memory,
    ...options,
  });
  return { ...made, memory };
}

describe('the newest lines of the log', () => {
  it.each(['json', 'pretty'] as const)('are kept as data, whatever is printed (%s)', async (format) => {
    const { logger, memory } = await remember({ format });
    logger.warn({ stream: 'data:shop.orders', code: 'X' }, 'hello');
    logger.debug('not logged');
    expect(memory.lines({ limit: 10 })).toEqual([
      {
        number: 1,
        time: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/) as string,
        level: 'warn',
        message: 'hello',
        fields: { stream: 'data:shop.orders', code: 'X' },
      },
    ]);
  });

  it('hold no secret', async () => {
    const { logger, memory, addSecrets } = await remember({ secrets: ['first"secret'] });
    addSecrets(['second-secret']);
    logger.info({ password: 'third-secret', url: 'redis://u:second-secret@h' }, 'with first"secret');
    expect(JSON.stringify(memory.lines({ limit: 10 }))).not.toMatch(/first|second|third/);
  });

  it('are the newest that were asked for, oldest first, and go on where a reader stopped', async () => {
    const { logger, memory } = await remember();
    for (let i = 1; i <= 5; i++) logger.info(`line ${i}`);
    const messages = (options: { after?: number; limit: number }) =>
      memory.lines(options).map(({ message }) => message);
    expect(messages({ limit: 2 })).toEqual(['line 4', 'line 5']);
    expect(messages({ after: 3, limit: 10 })).toEqual(['line 4', 'line 5']);
    expect(messages({ after: 5, limit: 10 })).toEqual([]);
  });

  it('are a thousand, and their numbers go on', async () => {
    const { logger, memory } = await remember();
    for (let i = 1; i <= 1100; i++) logger.info(`line ${i}`);
    const lines = memory.lines({ limit: 5000 });
    expect(lines).toHaveLength(1000);
    expect(lines[0]).toMatchObject({ number: 101, message: 'line 101' });
    expect(lines.at(-1)).toMatchObject({ number: 1100 });
  });

  it('keep a line that is no JSON as it is', () => {
    const memory = new LogMemory();
    memory.add('plain words\n');
    expect(memory.lines({ limit: 1 })).toMatchObject([{ level: 'info', message: 'plain words', fields: {} }]);
  });
});
