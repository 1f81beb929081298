import { EventEmitter } from 'node:events';
import { createServer } from 'node:net';
import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { type Operation, operate } from '../../../src/cli/operate.ts';
import { formatWelcome } from '../../../src/cli/run-view.ts';
import type { Engine } from '../../../src/control/index.ts';
import { type CapturedTerminal, capturedTerminal } from '../../helpers/captured-terminal.ts';
import { engineSnapshot, fakeEngine } from '../../helpers/engine-snapshot.ts';

const logger = pino({ level: 'silent' });

interface World {
  readonly terminal: CapturedTerminal;
  readonly signals: EventEmitter;
  readonly exits: (number | undefined)[];
  readonly closed: string[];
  readonly done: Promise<number>;
}

function start(change: Partial<Operation> = {}, engine: Partial<Engine> = {}): World {
  const terminal = capturedTerminal();
  const signals = new EventEmitter();
  const exits: (number | undefined)[] = [];
  const closed: string[] = [];
  const done = operate({
    terminal,
    logger,
    http: { host: '127.0.0.1', port: 0 },
    deadlineMs: 10_000,
    signals,
    exit: (code) => exits.push(code),
    startEngine: async () => ({
      ...fakeEngine(),
      close: async () => {
        closed.push('engine');
      },
      ...engine,
    }),
    ...change,
  });
  return { terminal, signals, exits, closed, done };
}

async function welcome({ terminal }: World): Promise<string> {
  while (!terminal.printed.out.includes('stop ')) await new Promise((resolve) => setTimeout(resolve, 5));
  return terminal.printed.out;
}

describe('a running rdi', () => {
  it('says what it does, where, and what to do next', async () => {
    const world = start();
    const text = await welcome(world);
    expect(text).toMatch(
      /^rdi 0\.1\.0 writes every table that arrives at 127\.0\.0\.1:12001 to redis:\/\/127\.0\.0\.1:6379\.\n/,
    );
    expect(text).toContain('debezium.sink.redis.address=127.0.0.1:12001');
    const [, url] = /--api-url (http:\S+),/.exec(text) ?? [];
    expect((await fetch(`${url}/readyz`)).status).toBe(200);
    world.signals.emit('SIGTERM');
    expect(await world.done).toBe(0);
  });

  it('says what is missing when nothing would be written', () => {
    const told = (change: Partial<ReturnType<typeof engineSnapshot>['pipeline']>) => {
      const snapshot = engineSnapshot({ targets: [] });
      return formatWelcome({ ...snapshot, pipeline: { ...snapshot.pipeline, ...change } }, undefined).split('\n')[0];
    };
    expect(told({ isDeployed: false })).toContain('rdi deploy --dir FOLDER');
    expect(told({ isActive: false })).toContain('rdi start');
    expect(told({})).toContain('no target');
  });

  it('drains at the first signal, closes everything and prints the account', async () => {
    const world = start({ http: null });
    expect(await welcome(world)).toContain('not served (--http off)');
    world.signals.emit('SIGINT');
    expect(await world.done).toBe(0);
    expect(world.closed).toEqual(['engine']);
    expect(world.terminal.printed.err).toContain('Stopping: 10 entries to write, at most 10 s.');
    expect(world.terminal.printed.out).toContain('received 100 = written 70 + ');
    expect(world.terminal.printed.out).toMatch(/\{rdi\}:shop\.orders +100 +70 +2 +5 +4 +1 +8 +10\n/);
    expect(world.signals.eventNames()).toEqual([]);
    expect(world.exits).toEqual([]);
  });

  it('ends at once at the second signal, and says what may repeat', async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const world = start({ http: null }, { close: () => promise });
    await welcome(world);
    world.signals.emit('SIGTERM');
    world.signals.emit('SIGTERM');
    expect(world.exits).toEqual([130]);
    expect(world.terminal.printed.err).toContain('may repeat some writes');
    resolve();
    await world.done;
  });

  it('stops also when the signal comes while it starts', async () => {
    const world = start({ http: null });
    world.signals.emit('SIGTERM');
    expect(await world.done).toBe(0);
    expect(world.closed).toEqual(['engine']);
  });

  it('leaves no engine behind when HTTP cannot be served', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => other.once('listening', resolve));
    const { port } = other.address() as { port: number };
    const world = start({ http: { host: '127.0.0.1', port } });
    await expect(world.done).rejects.toThrow(`Cannot serve HTTP on 127.0.0.1:${port}`);
    expect(world.closed).toEqual(['engine']);
    other.close();
  });

  it('leaves no HTTP behind when the engine cannot start, and reports the engine’s error', async () => {
    const world = start({
      startEngine: async () => {
        throw new Error('the data folder is locked');
      },
    });
    await expect(world.done).rejects.toThrow('the data folder is locked');
    expect(world.terminal.printed.out).toBe('');
  });
});
