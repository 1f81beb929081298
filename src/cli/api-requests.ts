import type { ApiSettings } from './api-settings.ts';
import { ApiError, type RefusalItem } from './exit-codes.ts';

type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

export interface ApiRequest {
  readonly method: Method;
  /** Path and query. */
  readonly path: string;
  /** Sent as JSON; undefined: none. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

/** The least of a response that both kinds of `fetch` give. */
export interface ApiResponse {
  readonly status: number;
  readonly ok: boolean;
  readonly body: AsyncIterable<Uint8Array> | null;
  text(): Promise<string>;
}

export type Fetch = (request: ApiRequest) => Promise<ApiResponse>;

/** How requests reach an address: Node's own `fetch`, or one that trusts other certificates. */
export async function openFetch({ base, ca, insecure }: ApiSettings): Promise<Fetch> {
  const isTrusting = base.startsWith('https:') && (ca !== undefined || insecure);
  const undici = isTrusting ? await import('undici') : undefined;
  // Without limits of its own: a long wait is ended by the caller's signal.
  const dispatcher = undici && new undici.Agent({ headersTimeout: 0, bodyTimeout: 0, connect: trust(ca, insecure) });
  return async ({ method, path, body, headers, signal }) => {
    const init = {
      method,
      headers: { accept: 'application/json', ...(body === undefined ? {} : JSON_BODY), ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      ...(signal === undefined ? {} : { signal }),
    };
    const response = undici
      ? await undici.fetch(base + path, { ...init, dispatcher: dispatcher! })
      : await fetch(base + path, init);
    return response as unknown as ApiResponse;
  };
}

const JSON_BODY = { 'content-type': 'application/json' };

function trust(ca: string | undefined, insecure: boolean) {
  return { rejectUnauthorized: !insecure, ...(ca === undefined ? {} : { ca }) };
}

/** The error of a refusal, in the words of the answer: `{detail, errors?: [{code, message, remediation?, details?}]}`. */
export function refusal(status: number, text: string, base: string): ApiError {
  const answer = parseJson(text);
  if (answer === undefined) return unreachable(base, `what answers there is not rdi (HTTP ${status}, no JSON)`);
  const { detail, errors } = answer as { detail?: unknown; errors?: unknown };
  const items = Array.isArray(errors) ? (errors as RefusalItem[]) : [];
  const what = typeof detail === 'string' ? detail.replace(/\.$/, '') : describeDetail(detail, status);
  if (status === 401 || status === 403) {
    const fix = 'Log in with --user and --password (RDI_USER, RDI_PASSWORD), or use a context that names the user.';
    return new ApiError('API_REFUSED', what, status, fix, { items });
  }
  // The summary often repeats the only reason there is.
  const reasons = items.filter(
    ({ message }) => typeof message === 'string' && !what.includes(message.replace(/\.$/, '')),
  );
  const lines = reasons.map(({ message, remediation }) => `\n  ${message}${remediation ? ` ${remediation}` : ''}`);
  const fix =
    reasons.length === 0
      ? items
          .map(({ remediation }) => remediation ?? '')
          .join(' ')
          .trim()
      : lines.join('');
  return new ApiError(
    'API_REFUSED',
    what,
    status,
    fix || (status === 404 && !/\brdi [a-z]/.test(what) ? 'See rdi status.' : ''),
    { items },
  );
}

function describeDetail(detail: unknown, status: number): string {
  return detail === undefined || detail === null ? `HTTP ${status}` : JSON.stringify(detail);
}

/** The error for an address at which no rdi answers. */
export function unreachable(base: string, reason: string, cause?: unknown): ApiError {
  const fix = 'Start one with rdi run, or say where it serves HTTP with --api-url or RDI_API_URL.';
  return new ApiError('API_UNREACHABLE', `No rdi answers at ${base}: ${reason}`, 0, fix, { cause });
}

/** The value of a JSON text; undefined for anything else. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The lines of a body as JSON values, as they come. */
export async function* jsonLines<T>(body: AsyncIterable<Uint8Array>): AsyncGenerator<T> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of body) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) if (line.trim() !== '') yield JSON.parse(line) as T;
  }
  if (rest.trim() !== '') yield JSON.parse(rest) as T;
}
