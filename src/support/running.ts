import type { DlqRecord, LogLine, Status } from '../control/index.ts';
import { RdiError } from '../errors.ts';
import type { PackageApi, PackageOptions } from './types.ts';

const DAY_MS = 86_400_000;
const MOST_LINES = 10_000;
const PIPELINE = '/api/v2/pipelines/default';

/** What RDI's own API says, as it stands; each under its name in `api/`. */
const ANSWERS: Readonly<Record<string, string>> = {
  'info.json': '/api/v2/info',
  'pipeline.json': PIPELINE,
  'pipeline-status.json': `${PIPELINE}/status`,
  'jobs.json': `${PIPELINE}/jobs`,
  'metric-collections.json': `${PIPELINE}/metric-collections`,
};

/** Adds what a running rdi tells; without one it says so in `missing`. */
export async function readRunning(
  options: PackageOptions,
  files: Map<string, string>,
  missing: string[],
): Promise<void> {
  const { logDays, rejectedPerStream, at } = options;
  let api: PackageApi;
  let status: Status;
  try {
    api = await options.connect();
    status = await api.get<Status>('/api/v2/overview');
  } catch (error) {
    if (!(error instanceof RdiError)) throw error;
    missing.push(`No running rdi was asked: ${error.message}`);
    missing.push('The log of an rdi that does not run is where its output went (journalctl, docker logs, a file).');
    return;
  }
  const add = (name: string, content: unknown) => files.set(name, `${JSON.stringify(content, null, 2)}\n`);
  add('status.json', status);
  add('feeders.json', status.endpoint.connections);
  add('components.json', componentsOf(status));
  const attempt = async <T>(path: string, take: (answer: T) => void, ask = (): Promise<T> => api.get<T>(path)) => {
    try {
      take(await ask());
    } catch (error) {
      if (!(error instanceof RdiError)) throw error;
      missing.push(`${path}: ${error.message}`);
    }
  };
  for (const [name, path] of Object.entries(ANSWERS)) {
    await attempt<unknown>(path, (answer) => add(`api/${name}`, answer));
  }
  await attempt<unknown>(`${PIPELINE}/revisions`, (answer) => add('deployed/revisions.json', answer));
  await attempt<unknown>(`${PIPELINE}/secrets`, (answer) => add('secrets.json', answer));
  await attempt<string>(
    '/metrics',
    (text) => files.set('metrics.txt', text),
    () => api.text('/metrics'),
  );
  await attempt<{ lines: LogLine[] }>(`/api/v2/logs?limit=${MOST_LINES}`, ({ lines }) => {
    const recent = lines.filter(({ time }) => !(Date.parse(time) < at - logDays * DAY_MS));
    files.set('log.jsonl', recent.map((line) => `${JSON.stringify(line)}\n`).join(''));
  });
  if (rejectedPerStream > 0) await readRejected(api, status, rejectedPerStream, files, attempt);
}

async function readRejected(
  api: PackageApi,
  { dlqs }: Status,
  limit: number,
  files: Map<string, string>,
  attempt: <T>(path: string, take: (answer: T) => void, ask?: () => Promise<T>) => Promise<void>,
): Promise<void> {
  const all: DlqRecord[] = [];
  for (const { stream, count } of dlqs) {
    if (count === 0) continue;
    const path = `${PIPELINE}/dlqs/${encodeURIComponent(stream)}/records`;
    await attempt<DlqRecord[] | { records: DlqRecord[] }>(
      path,
      (answer) => all.push(...(Array.isArray(answer) ? answer : answer.records)),
      () => api.get(`${path}?limit=${Math.min(limit, 1000)}`),
    );
  }
  if (all.length > 0) files.set('rejected.jsonl', all.map((record) => `${JSON.stringify(record)}\n`).join(''));
}

/** The parts of an rdi with their state, as RDI's `Components` lists them. */
function componentsOf(status: Status) {
  const { store, endpoint, targets, version, state } = status;
  return [
    { name: 'processor', type: 'engine', version, status: state },
    { name: 'endpoint', type: 'collector endpoint', version, status: endpoint.listening ? 'listening' : 'closed' },
    { name: 'store', type: 'stream store', version, status: store.state },
    ...targets.map((target) => ({
      name: `target ${target.name}`,
      type: 'redis',
      version: target.redisVersion ?? '',
      status: target.state.state,
    })),
  ];
}
