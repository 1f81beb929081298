import { type Command, Option } from 'commander';
import { ConfigError } from '../errors.ts';
import { ApiError } from './exit-codes.ts';
import type { Terminal } from './terminal.ts';

const DEFAULT_API_URL = 'http://127.0.0.1:8080';
const ANSWER_MS = 10_000;

/** Adds `--api-url` to a command that asks a running rdi. */
export function withApiUrl(command: Command): Command {
  return command.addOption(
    new Option('--api-url <url>', `where rdi serves HTTP (variable RDI_API_URL, default ${DEFAULT_API_URL})`),
  );
}

/**
 * One request to a running rdi; resolves to the parsed JSON answer.
 *
 * @throws ConfigError when the address is no URL
 * @throws ApiError when nothing answers, when the answer is not JSON, or when it is a refusal
 */
export async function callApi<T>(
  terminal: Pick<Terminal, 'env'>,
  apiUrl: string | undefined,
  path: string,
  method: 'GET' | 'POST' = 'GET',
): Promise<T> {
  const { base, headers } = parseApiUrl(apiUrl ?? terminal.env['RDI_API_URL'] ?? DEFAULT_API_URL);
  let response: Response;
  let body: string;
  try {
    response = await fetch(base + path, { method, headers, signal: AbortSignal.timeout(ANSWER_MS) });
    body = await response.text();
  } catch (error) {
    throw unreachable(base, reasonOf(error), error);
  }
  let answer: unknown;
  try {
    answer = JSON.parse(body);
  } catch {
    throw unreachable(base, `what answers there is not rdi (HTTP ${response.status}, no JSON)`);
  }
  if (response.ok) return answer as T;
  const { detail } = answer as { detail?: unknown };
  const what = typeof detail === 'string' ? detail.replace(/\.$/, '') : `HTTP ${response.status}`;
  throw new ApiError('API_REFUSED', what, response.status, response.status === 404 ? 'See rdi status.' : '');
}

/** The URL without its user, who is for a proxy in front of rdi and goes into a header: `fetch` takes none in a URL. */
function parseApiUrl(text: string): { base: string; headers: Record<string, string> } {
  const url = URL.parse(text.includes('://') ? text : `http://${text}`);
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw new ConfigError('CONFIG_INVALID', 'The API address is no URL', {
      fix: `Give --api-url or RDI_API_URL as http://host:port, for example ${DEFAULT_API_URL}.`,
    });
  }
  const { username, password, origin, pathname } = url;
  const login = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  const headers = login === ':' ? {} : { authorization: `Basic ${Buffer.from(login).toString('base64')}` };
  return { base: (origin + pathname).replace(/\/+$/, ''), headers };
}

function unreachable(base: string, reason: string, cause?: unknown): ApiError {
  const fix = 'Start one with rdi run, or say where it serves HTTP with --api-url or RDI_API_URL.';
  return new ApiError('API_UNREACHABLE', `No rdi answers at ${base}: ${reason}`, 0, fix, cause);
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.name === 'TimeoutError') return `no answer within ${ANSWER_MS / 1000} s`;
  const cause = error.cause as NodeJS.ErrnoException | undefined;
  return cause?.code ?? cause?.message ?? error.message;
}
