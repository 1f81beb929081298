/** What a real target is told, by its own MONITOR. */
import { randomUUID } from 'node:crypto';
import type { Redis } from 'ioredis';
import { RawClient } from './raw-client.ts';

/** Commands that change no data: greetings, probes, lookups of what the target is. */
const QUIET = new Set(['PING', 'HELLO', 'AUTH', 'CLIENT', 'INFO', 'SELECT', 'COMMAND', 'ECHO', 'CONFIG', 'MODULE']);

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', a: '\x07', b: '\b' };

/** Watches one server; ends with {@link TargetMonitor.close}. */
export class TargetMonitor {
  readonly #client: RawClient;
  readonly #asker: Redis;

  private constructor(client: RawClient, asker: Redis) {
    this.#client = client;
    this.#asker = asker;
  }

  /** `asker` is a connection to the same server, used for marks. */
  static async start(port: number, asker: Redis): Promise<TargetMonitor> {
    const client = await RawClient.connect(port);
    await client.ask('MONITOR');
    return new TargetMonitor(client, asker);
  }

  /** The commands since the last call, without those that scripts ran and those that change nothing. */
  async take(): Promise<string[][]> {
    const mark = randomUUID();
    await this.#asker.echo(mark);
    const taken: string[][] = [];
    for (;;) {
      const { words, isFromScript } = parseLine(await this.#client.reply());
      if (words[0]?.toUpperCase() === 'ECHO' && words[1] === mark) return taken;
      if (!isFromScript && !QUIET.has(words[0]?.toUpperCase() ?? '')) taken.push(words);
    }
  }

  close(): void {
    this.#client.close();
  }
}

/** `+1700000000.123456 [0 127.0.0.1:5000] "HSET" "a \"key\"" …`, in Latin-1. */
function parseLine(line: string): { words: string[]; isFromScript: boolean } {
  const end = line.indexOf(']');
  const words = [...line.slice(end).matchAll(/"((?:[^"\\]|\\.)*)"/gs)].map(([, quoted = '']) => unquote(quoted));
  return { words, isFromScript: line.slice(0, end).endsWith(' lua') };
}

function unquote(quoted: string): string {
  const latin1 = quoted.replace(/\\(x[0-9a-f]{2}|.)/gs, (_, code: string) =>
    code.length === 3 ? String.fromCharCode(Number.parseInt(code.slice(1), 16)) : (ESCAPES[code] ?? code),
  );
  return Buffer.from(latin1, 'latin1').toString('utf8');
}
