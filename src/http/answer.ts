import { Readable } from 'node:stream';
import type { z } from 'zod';
import type { Engine } from '../control/index.ts';
import { type FastifyReply, type FastifyRequest, HttpError, OtherAnswer } from './api.ts';
import { invalidRequest, type Refusal, refusalFor } from './failures.ts';
import { identityOf } from './require-login.ts';
import type { AnyRoute, RouteTable } from './route-table.ts';

/** The engine, or undefined while it is still starting. */
export type EngineSource = () => Engine | undefined;

export const STARTING = 'The engine is starting: the store is being recovered. Ask again in a moment.';

const NDJSON = 'application/x-ndjson; charset=utf-8';
const PIPELINE_PATH = '/api/v2/pipelines/{name}';

export interface Answering {
  readonly table: RouteTable;
  readonly engine: EngineSource;
  /** Told of errors that the client sees only as 500. */
  readonly onError: (error: Error) => void;
}

/** Finds the route of a request, has it handled, and sends its answer or refusal. Never rejects. */
export async function answer(answering: Answering, request: FastifyRequest, reply: FastifyReply): Promise<void> {
  try {
    await handle(answering, request, reply);
  } catch (error) {
    sendRefusal(reply, refusalFor(error, answering.onError));
  }
}

export function sendRefusal(reply: FastifyReply, { status, body }: Refusal): void {
  reply.code(status).send(body);
}

async function handle({ table, engine: source, onError }: Answering, request: FastifyRequest, reply: FastifyReply) {
  const path = (request.raw.url ?? '').split('?')[0]!;
  const match = table.match(request.method, path);
  if (match.kind === 'nothing') throw new HttpError(404, `Nothing is served at ${request.method} ${path}.`);
  if (match.kind === 'bad path') throw new HttpError(400, 'The path is not percent-encoded correctly.');
  if (match.kind === 'wrong method') {
    const methods = match.allowed.join(', ');
    reply.header('allow', methods);
    throw new HttpError(405, `${request.method} is not served at ${path}; there is ${methods}.`);
  }
  const { route } = match;
  checkPipelineName(route, match.params);
  const params = parse('path', route.params, match.params);
  const query = parse('query', route.query, request.query ?? {});
  const body = parse('body', route.body, request.body);
  const engine = source();
  if (engine === undefined && route.isOpen !== true) throw new HttpError(503, STARTING);
  const gone = abortWithClient(reply);
  const caller = { address: request.ip, identity: identityOf(request) };
  // Routes that are open ask nothing of the engine.
  const result = await route.handle({ params, query, body, engine: engine as Engine, caller, signal: gone.signal });
  if (result instanceof OtherAnswer) {
    sendJson(reply, result.status, result.body);
  } else if (route.isStream) {
    sendLines(reply.code(route.status ?? 200), result as AsyncIterable<unknown>, gone, onError);
  } else if (route.answer === null) {
    reply.code(route.status ?? 200).send();
  } else {
    sendJson(reply, route.status ?? 200, result);
  }
}

function sendJson(reply: FastifyReply, status: number, body: unknown): void {
  reply.code(status).type('application/json; charset=utf-8').send(JSON.stringify(body));
}

/** One process runs one pipeline; RDI's versions with one pipeline call it `default`, too. */
function checkPipelineName({ path }: AnyRoute, { name }: Readonly<Record<string, string>>): void {
  if (!path.startsWith(PIPELINE_PATH) || name === 'default') return;
  throw new HttpError(404, `There is no pipeline "${name}". This server runs one, and it is called "default".`);
}

function parse(where: 'path' | 'query' | 'body', shape: z.ZodType | undefined, value: unknown): unknown {
  if (shape === undefined) return value;
  const parsed = shape.safeParse(value);
  if (parsed.success) return parsed.data;
  throw invalidRequest(where, parsed.error);
}

function abortWithClient(reply: FastifyReply): AbortController {
  const gone = new AbortController();
  reply.raw.once('close', () => gone.abort());
  return gone;
}

/** Sends values as lines while they come. An error ends the stream with the line `{"error": …}`: the status is out by then. */
function sendLines(
  reply: FastifyReply,
  values: AsyncIterable<unknown>,
  gone: AbortController,
  onError: (error: Error) => void,
): void {
  async function* lines(): AsyncGenerator<string> {
    try {
      yield* withSigns(values);
    } catch (error) {
      if (!gone.signal.aborted) yield `${JSON.stringify({ error: refusalFor(error, onError).body })}\n`;
    }
  }
  reply.type(NDJSON).send(Readable.from(lines(), { objectMode: false, highWaterMark: 16 * 1024 }));
}

/** Clients and proxies give up a connection on which nothing comes for long; readers of JSON lines pass by empty ones. */
const SIGN_AFTER_MS = 30_000;

async function* withSigns(values: AsyncIterable<unknown>): AsyncGenerator<string> {
  const iterator = values[Symbol.asyncIterator]();
  try {
    for (let next = iterator.next(); ; ) {
      let timer: NodeJS.Timeout | undefined;
      const quiet = new Promise<null>((resolve) => {
        timer = setTimeout(resolve, SIGN_AFTER_MS, null);
      });
      const result = await Promise.race([next, quiet]).finally(() => clearTimeout(timer));
      if (result === null) {
        yield '\n';
        continue;
      }
      if (result.done) return;
      yield `${JSON.stringify(result.value)}\n`;
      next = iterator.next();
    }
  } finally {
    await iterator.return?.();
  }
}
