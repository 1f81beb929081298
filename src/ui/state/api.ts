import type {
  ApiErrorItem,
  ConfigProblem,
  Deployment,
  DeploymentCheck,
  DlqRecord,
  DlqRecordDetail,
  DlqSelectionBody,
  JobDescription,
  JobTrial,
  LogLine,
  PipelineDocument,
  RecentEvent,
  RetryReport,
  Revision,
  RevisionContent,
  Status,
  TriedEvent,
} from '../../http/api-types.ts';
import { Store } from './store.ts';

const TOKEN_KEY = 'rdi-token';
const PIPELINE = '/api/v2/pipelines/default';
const PATIENCE_MS = 60_000;

/** Whether the API asked for a login; the page shows the login screen then. */
export const needsLogin = new Store(false);

/** What the API refused, in its own words. `status` 0: nobody answered. */
export class ApiFailure extends Error {
  readonly status: number;
  readonly errors: readonly ApiErrorItem[];

  constructor(status: number, message: string, errors: readonly ApiErrorItem[] = []) {
    super(message);
    this.status = status;
    this.errors = errors;
  }

  /** Mistakes in a configuration, where the refusal is about one. */
  get problems(): readonly ConfigProblem[] {
    return this.errors.flatMap(({ details }) => (isProblem(details) ? [details] : []));
  }
}

function isProblem(details: unknown): details is ConfigProblem {
  return typeof details === 'object' && details !== null && 'line' in details && 'message' in details;
}

interface Question {
  readonly method?: string;
  readonly body?: unknown;
  readonly signal?: AbortSignal;
  readonly timeoutMs?: number;
}

/** Sends a request with the token of this session. Throws {@link ApiFailure}. */
async function send(path: string, question: Question = {}): Promise<Response> {
  const { method = 'GET', body, signal, timeoutMs = PATIENCE_MS } = question;
  const token = sessionStorage.getItem(TOKEN_KEY);
  const headers: Record<string, string> = {};
  if (token !== null) headers['authorization'] = `Bearer ${token}`;
  if (body !== undefined) headers['content-type'] = 'application/json';
  const timeout = AbortSignal.timeout(timeoutMs);
  let response: Response;
  try {
    response = await fetch(path, {
      method,
      headers,
      cache: 'no-store',
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
    });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new ApiFailure(0, 'rdi does not answer.');
  }
  if (response.ok) return response;
  if (response.status === 401 && !path.endsWith('/login')) {
    sessionStorage.removeItem(TOKEN_KEY);
    needsLogin.set(true);
  }
  throw await readFailure(response);
}

async function readFailure(response: Response): Promise<ApiFailure> {
  const answer = (await response.json().catch(() => ({}))) as { detail?: unknown; errors?: ApiErrorItem[] };
  const detail = typeof answer.detail === 'string' ? answer.detail : `rdi answered ${response.status}.`;
  return new ApiFailure(response.status, detail, Array.isArray(answer.errors) ? answer.errors : []);
}

async function ask<T>(path: string, question?: Question): Promise<T> {
  const response = await send(path, question);
  if (response.status === 204) return undefined as T;
  return (await response.json()) as T;
}

const part = encodeURIComponent;

function search(values: Readonly<Record<string, string | number | undefined>>): string {
  const given = Object.entries(values).flatMap(([name, value]) => (value === undefined ? [] : [[name, `${value}`]]));
  return new URLSearchParams(given).toString();
}

/** Takes a token that somebody was given, such as `http.token`. */
export function keepToken(token: string): void {
  sessionStorage.setItem(TOKEN_KEY, token);
  needsLogin.set(false);
}

/** Signs in and keeps the token for as long as this tab lives. */
export async function signIn(username: string, password: string): Promise<void> {
  const answer = await ask<{ access_token: string }>('/api/v1/login', { method: 'POST', body: { username, password } });
  keepToken(answer.access_token);
}

export function readOverview(signal?: AbortSignal): Promise<Status> {
  return ask('/api/v2/overview', { timeoutMs: 5000, ...(signal ? { signal } : {}) });
}

/** The text of `/metrics`. */
export async function readMetrics(): Promise<string> {
  return (await send('/metrics', { timeoutMs: 5000 })).text();
}

export function startPipeline(): Promise<unknown> {
  return ask(`${PIPELINE}/start`, { method: 'POST' });
}

export function stopPipeline(): Promise<unknown> {
  return ask(`${PIPELINE}/stop`, { method: 'POST' });
}

export function resetPipeline(flushTarget: boolean): Promise<unknown> {
  return ask(`${PIPELINE}/reset?flush_target=${flushTarget}`, { method: 'POST' });
}

export function resumeStream(stream: string): Promise<unknown> {
  return ask(`${PIPELINE}/streams/${part(stream)}/resume`, { method: 'POST' });
}

export function listRevisions(): Promise<Revision[]> {
  return ask(`${PIPELINE}/revisions`);
}

export function readRevision(number: number): Promise<RevisionContent> {
  return ask(`${PIPELINE}/revisions/${number}`);
}

export function checkDocument(document: PipelineDocument, signal?: AbortSignal): Promise<DeploymentCheck> {
  return ask(`${PIPELINE}/revisions?dry_run=true`, {
    method: 'POST',
    body: { document },
    ...(signal ? { signal } : {}),
  });
}

export function deployDocument(document: PipelineDocument, note: string): Promise<Deployment> {
  return ask(`${PIPELINE}/revisions`, { method: 'POST', body: { document, note } });
}

export function rollBack(number: number): Promise<Deployment> {
  return ask(`${PIPELINE}/revisions/${number}/rollback`, { method: 'POST' });
}

export function readJob(name: string): Promise<JobDescription> {
  return ask(`${PIPELINE}/jobs/${part(name)}`);
}

export async function listRecords(stream: string, page: { limit: number; offset: number }): Promise<DlqRecord[]> {
  const { records } = await ask<{ records: DlqRecord[] }>(
    `${PIPELINE}/dlqs/${part(stream)}/records?${search({ ...page, sort_order: 'desc' })}`,
  );
  return records;
}

export function readRecord(stream: string, id: string): Promise<DlqRecordDetail> {
  return ask(`${PIPELINE}/dlqs/${part(stream)}/records/${part(id)}`);
}

export function editRecord(stream: string, id: string, change: { key?: string; value?: string }): Promise<unknown> {
  return ask(`${PIPELINE}/dlqs/${part(stream)}/records/${part(id)}`, { method: 'PUT', body: change });
}

export function retryRecords(selection: DlqSelectionBody): Promise<RetryReport> {
  return ask(`${PIPELINE}/dlqs/retry`, { method: 'POST', body: selection });
}

export function dropRecords(selection: DlqSelectionBody): Promise<{ dropped: number }> {
  return ask(`${PIPELINE}/dlqs/drop`, { method: 'POST', body: selection });
}

export function countRecords(selection: DlqSelectionBody): Promise<{ count: number }> {
  return ask(`${PIPELINE}/dlqs/count`, { method: 'POST', body: selection });
}

/** Records that fit, oldest first, at most `limit`; the rest is not read. */
export async function exportRecords(selection: DlqSelectionBody, limit: number): Promise<DlqRecordDetail[]> {
  const { table, reason, job } = selection;
  const stopper = new AbortController();
  const response = await send(`${PIPELINE}/dlqs/export?${search({ table, reason, job })}`, { signal: stopper.signal });
  const found: DlqRecordDetail[] = [];
  for await (const line of jsonLines(response)) {
    found.push(line as DlqRecordDetail);
    if (found.length < limit) continue;
    stopper.abort();
    break;
  }
  return found;
}

/** The whole export as a file to keep. */
export async function exportFile(selection: DlqSelectionBody): Promise<Blob> {
  const { table, reason, job } = selection;
  return (await send(`${PIPELINE}/dlqs/export?${search({ table, reason, job })}`)).blob();
}

async function* jsonLines(response: Response): AsyncGenerator<unknown> {
  const decoder = new TextDecoder();
  let rest = '';
  if (!response.body) return;
  for await (const chunk of response.body) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) if (line.trim() !== '') yield JSON.parse(line);
  }
  if (rest.trim() !== '') yield JSON.parse(rest);
}

export async function listEvents(limit: number, stream?: string): Promise<RecentEvent[]> {
  return (await ask<{ events: RecentEvent[] }>(`${PIPELINE}/events?${search({ limit, stream })}`)).events;
}

export function tryJob(job: string, name: string, event: TriedEvent, signal: AbortSignal): Promise<JobTrial> {
  return ask(`${PIPELINE}/jobs/try`, { method: 'POST', body: { job, name, event }, signal });
}

export async function readLog(after: number, limit: number): Promise<LogLine[]> {
  return (await ask<{ lines: LogLine[] }>(`/api/v2/logs?${search({ after, limit })}`)).lines;
}
