import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Command, Option } from 'commander';
import { ConfigError } from '../errors.ts';
import { type Api, type ApiOptions, connectApi, withApi } from './api.ts';
import type { AddCommand, Context } from './context.ts';
import { untilInterrupted } from './interrupt.ts';
import { wholeNumber } from './numbers.ts';

interface MonitorOptions extends ApiOptions {
  readonly exporterHost: string;
  readonly exporterPort: number;
  /** s. */
  readonly collectInterval: number;
}

const METRICS_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

export const addMonitor: AddCommand = (program: Command, context: Context) => {
  const command = program
    .command('monitor')
    .summary('serve the metrics of a running rdi on a port of their own')
    .description(
      'Fetches the metrics of a running rdi again and again and serves them until Ctrl-C, as the exporter of earlier ' +
        'versions did. A Prometheus that can reach rdi itself needs none: it serves /metrics.',
    )
    .addOption(new Option('--exporter-host <host>', 'address to serve on; 0.0.0.0 for all').default('127.0.0.1'))
    .addOption(new Option('--exporter-port <port>', 'port to serve on').default(9121).argParser(wholeNumber(0, 65_535)))
    .addOption(
      new Option('--collect-interval <seconds>', 'how often to fetch, 1 to 60')
        .default(5)
        .argParser(wholeNumber(1, 60)),
    );
  withApi(command).action(async (options: MonitorOptions) => {
    const api = await connectApi(context, options);
    await untilInterrupted((signal) => serveMetrics(context, api, options, signal));
  });
};

async function serveMetrics({ terminal }: Context, api: Api, options: MonitorOptions, signal: AbortSignal) {
  let metrics = await api.text('/metrics');
  let failure: string | undefined;
  const server = createServer((request, response) => {
    const isKnown = request.method === 'GET' && (request.url === '/metrics' || request.url === '/');
    if (!isKnown) response.writeHead(404).end('Metrics are served at /metrics.\n');
    // Old figures must not look like new ones.
    else if (failure !== undefined) response.writeHead(503, { 'content-type': 'text/plain' }).end(`${failure}\n`);
    else response.writeHead(200, { 'content-type': METRICS_TYPE }).end(metrics);
  });
  await listen(server, options);
  const { port } = server.address() as AddressInfo;
  terminal.out(
    `Serving the metrics of ${api.address} at http://${options.exporterHost}:${port}/metrics until Ctrl-C.\n`,
  );
  try {
    for (;;) {
      await sleep(options.collectInterval * 1000, undefined, { signal });
      try {
        metrics = await api.text('/metrics');
        failure = undefined;
      } catch (error) {
        failure = (error as Error).message;
        terminal.err(`${failure}\n`);
      }
    }
  } finally {
    server.close();
    server.closeAllConnections();
  }
}

async function listen(server: Server, { exporterHost: host, exporterPort: port }: MonitorOptions): Promise<void> {
  try {
    server.listen(port, host);
    await once(server, 'listening');
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw new ConfigError('CONFIG_INVALID', `Cannot serve metrics on ${host}:${port}: ${code}`, {
      fix: 'Choose another place with --exporter-host and --exporter-port.',
      cause,
    });
  }
}
