import type { Engine } from '../../src/control/index.ts';
import { type HttpOptions, type HttpServer, startHttp } from '../../src/http/index.ts';
import { fakeEngine } from './engine-snapshot.ts';

export interface Answer {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: answers are compared by their members, and tests fail when these are missing.
  readonly body: any;
  readonly headers: Headers;
}

export interface TestServer {
  readonly url: string;
  /** What was reported as an error of ours. */
  readonly errors: Error[];
  call(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>;
  close(): Promise<void>;
}

/** An HTTP server over an engine, a faked one unless another is given. JSON answers are parsed. */
export async function serve(engine: Engine = fakeEngine(), options: Partial<HttpOptions> = {}): Promise<TestServer> {
  const errors: Error[] = [];
  const server: HttpServer = await startHttp({
    host: '127.0.0.1',
    port: 0,
    engine: () => engine,
    onError: (error) => errors.push(error),
    ...options,
  });
  const url = `${options.tls === undefined ? 'http' : 'https'}://${server.address}`;
  return {
    url,
    errors,
    call: async (method, path, body, headers = {}) => {
      const response = await fetch(url + path, {
        method,
        headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        signal: AbortSignal.timeout(10_000),
      });
      const text = await response.text();
      const isJson = (response.headers.get('content-type') ?? '').startsWith('application/json');
      return { status: response.status, body: isJson ? JSON.parse(text) : text, headers: response.headers };
    },
    close: () => server.close(),
  };
}
