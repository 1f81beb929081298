import {
  ACCOUNT_PLACES,
  type AccountSums,
  accountingLine,
  dataSources,
  type EngineSnapshot,
} from '../control/index.ts';
import { formatTable, left, right } from './table.ts';
import { printable } from './terminal.ts';

/** The first lines of a running rdi: what it does now, and what to do next. */
export function formatWelcome(snapshot: EngineSnapshot, httpAddress: string | undefined): string {
  const { endpoint, store, version } = snapshot;
  const lines = [
    `rdi ${version} ${whatItDoes(snapshot)}`,
    '',
    `  feeders  debezium.sink.type=redis, debezium.sink.redis.address=${endpoint.address}`,
    `  store    ${printable(store.dataDir)}`,
    httpAddress === undefined
      ? '  status   not served (--http off)'
      : `  status   rdi status${apiUrl(httpAddress)}, page http://${httpAddress}/, metrics http://${httpAddress}/metrics`,
    '  stop     Ctrl-C',
    '',
  ];
  return `${lines.join('\n')}\n`;
}

function whatItDoes({ endpoint, targets, pipeline }: EngineSnapshot): string {
  const keeps = `keeps what arrives at ${endpoint.address}`;
  if (!pipeline.isDeployed) return `${keeps}. No pipeline is deployed yet: rdi deploy --dir FOLDER.`;
  if (!pipeline.isActive) return `${keeps}. The pipeline is stopped: rdi start lets it go on.`;
  const where = targets.map(({ address }) => address).join(', ');
  return where === ''
    ? `${keeps}. The pipeline has no target: add one, and deploy it.`
    : `writes every table that arrives at ${endpoint.address} to ${printable(where)}.`;
}

function apiUrl(httpAddress: string): string {
  return httpAddress === '127.0.0.1:8080' ? '' : ` --api-url http://${httpAddress}`;
}

/** The account of all streams at the end: a row per stream, and the line that adds up. */
export function formatAccount({ streams, totals }: EngineSnapshot): string {
  if (streams.length === 0) return 'Nothing has arrived.\n';
  const columns = [left('Stream'), right('received'), ...ACCOUNT_PLACES.map(right)];
  const names = dataSources(streams);
  const figures = (sums: AccountSums): number[] => [sums.received, ...ACCOUNT_PLACES.map((place) => sums[place])];
  const rows = streams.map((stream, index) => [names[index]!, ...figures(stream)]);
  const stopped = streams.flatMap(({ name, stopped: stop }) =>
    stop === null ? [] : [`${printable(name)} stands at entry ${stop.entryId}: ${printable(stop.reason)}\n`],
  );
  return `\n${formatTable(columns, rows)}\n${accountingLine(totals)}\n${stopped.join('')}`;
}
