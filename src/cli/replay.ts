import { readFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { ConfigError } from '../errors.ts';
import { count, formatBytes } from '../lib/plain-words.ts';
import type { ReplayAddress, ReplayResult } from '../replay/index.ts';
import type { AddCommand, Context } from './context.ts';
import { EXIT } from './exit-codes.ts';
import { untilInterrupted } from './interrupt.ts';
import { wholeNumber } from './numbers.ts';
import { type OutputFormat, print, withOutput } from './output.ts';
import { ReplayProgress } from './replay-progress.ts';

interface ReplayCommandOptions {
  readonly to: string;
  readonly rate?: number;
  readonly user?: string;
  readonly password?: string;
  readonly tls: boolean;
  readonly cacert?: string;
  readonly insecure: boolean;
  readonly timeout: number;
  readonly output: OutputFormat;
}

export const addReplay: AddCommand = (program: Command, context: Context) => {
  const command = program
    .command('replay')
    .summary('send recorded traffic to an endpoint, as Debezium sends it')
    .description(
      'Sends recordings to the endpoint of a running rdi (or to any Redis), each on a connection of its own: ' +
        'the raw bytes of a client (sink.client.resp, also .gz) or entries.ndjson. Like Debezium it waits for ' +
        'every reply, sends a batch again after a broken connection, and a record again that was refused with OOM.',
    )
    .argument('<file...>', 'recordings')
    .requiredOption('--to <host:port>', 'where feeders connect, for example 127.0.0.1:12001')
    .option('--rate <n>', 'at most so many entries per second', wholeNumber(1, 10_000_000))
    .option('--user <name>', 'log in with this name (variable RDI_ENDPOINT_USER)')
    .option('--password <text>', 'log in with this password (variable RDI_ENDPOINT_PASSWORD)')
    .option('--tls', 'connect with TLS', false)
    .option('--cacert <file>', 'with TLS: certificates (PEM) to trust in place of the system’s')
    .option('--insecure', 'with TLS: do not check the certificate', false)
    .option('--timeout <ms>', 'silence that counts as a broken connection', wholeNumber(1, 3_600_000), 2000);
  withOutput(command).action(async (files: string[], options: ReplayCommandOptions) => {
    const result = await replay(context, files, options);
    await print(context.terminal, options.output, result, (sum) => describe(sum, files.length));
    if (result.lost === 0) return;
    context.exitCode = EXIT.failed;
    context.terminal.err(
      `${count(result.lost, 'entry was', 'entries were')} answered with an error: a Debezium Server would lose them silently.\n`,
    );
  });
};

async function replay(context: Context, files: string[], options: ReplayCommandOptions): Promise<ReplayResult> {
  const { replayFile } = await import('../replay/index.ts');
  const to = await addressOf(options, context.terminal.env);
  const progress = new ReplayProgress(context.terminal, files);
  const startedAt = performance.now();
  try {
    await untilInterrupted(async (signal) => {
      const ended = new AbortController();
      const both = AbortSignal.any([signal, ended.signal]);
      const replays = files.map((file) =>
        replayFile({
          file,
          to,
          signal: both,
          silenceMs: options.timeout,
          onProgress: (counts, done) => progress.update(file, counts, done),
          ...(options.rate === undefined ? {} : { eventsPerSecond: options.rate }),
        }).catch((error: unknown) => {
          ended.abort(error);
          throw error;
        }),
      );
      // All have ended before the error of the first is shown: nothing goes on in the background.
      await Promise.allSettled(replays);
      if (ended.signal.aborted) throw ended.signal.reason;
    });
  } finally {
    progress.close();
  }
  return { ...progress.sum(), seconds: (performance.now() - startedAt) / 1000 };
}

async function addressOf(options: ReplayCommandOptions, env: Context['terminal']['env']): Promise<ReplayAddress> {
  const { parseHostPort } = await import('../config/index.ts');
  const place = parseHostPort(options.to);
  if (place === undefined) {
    throw new ConfigError('CONFIG_INVALID', `--to ${options.to} is no address`, {
      fix: 'Give host:port, for example 127.0.0.1:12001.',
    });
  }
  const user = options.user ?? env['RDI_ENDPOINT_USER'];
  const password = options.password ?? env['RDI_ENDPOINT_PASSWORD'];
  const address = {
    ...place,
    ...(user === undefined ? {} : { user }),
    ...(password === undefined ? {} : { password }),
  };
  if (!options.tls) return address;
  const ca = options.cacert === undefined ? {} : { ca: await readCertificates(options.cacert) };
  return { ...address, tls: { verify: !options.insecure, ...ca } };
}

async function readCertificates(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw new ConfigError('CONFIG_NOT_FOUND', `Cannot read the certificates: ${code}`, {
      where: file,
      fix: 'Check --cacert.',
      cause,
    });
  }
}

function describe(result: ReplayResult, files: number): string {
  const { events, seconds, bytes, refused, resent, reconnects, held, commands } = result;
  const rate = Math.round(events / Math.max(seconds, 0.001));
  const extras = [
    refused > 0 ? `${refused} refused with OOM and sent again` : '',
    resent > 0 ? `${resent} sent again after a broken connection` : '',
    reconnects > 0 ? count(reconnects, 'reconnect') : '',
    held > 0 ? `held back ${held} times` : '',
  ].filter((text) => text !== '');
  const more = extras.length === 0 ? '' : ` (${extras.join(', ')})`;
  const sent = `${count(events, 'entry', 'entries')}, ${formatBytes(bytes)}, ${count(commands, 'command')}`;
  return `Sent ${sent} from ${count(files, 'file')} in ${seconds.toFixed(2)} s: ${rate} entries/s${more}.\n`;
}
