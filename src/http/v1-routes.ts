import { z } from 'zod';
import { type EngineSnapshot, findProblems, withoutCredentials } from '../control/index.ts';
import { VERSION } from '../lib/version.ts';
import { type Api, HttpError } from './api.ts';
import type { Login } from './login.ts';
import { statistics, viewStatistics } from './statistics.ts';

const TAG = 'RDI API v1: server';
const SINK_CLIENT = 'debezium:redis:sink';

const v1Status = z.object({
  components: z.record(
    z.string(),
    z.object({
      status: z.enum(['ready', 'not-ready', 'stopped']),
      connected: z.boolean().optional(),
      version: z.string().optional(),
      error: z.string().optional(),
    }),
  ),
  pipelines: z.object({
    default: z.object({
      status: z.enum(['ready', 'not-ready', 'stopped']),
      state: z.enum(['cdc', 'initial-sync', 'not-running']),
      last_error: z.string().optional(),
      tasks: z.array(
        z.object({ name: z.string(), status: z.string(), error: z.string().optional(), created_at: z.string() }),
      ),
    }),
  }),
});

/** RDI's API v1 beside the pipeline: login, status, statistics, secrets. */
export function addV1Routes(api: Api, { login }: { readonly login: Login }): void {
  api.add({
    method: 'POST',
    path: '/api/v1/login',
    tag: TAG,
    summary: 'Log in; the token holds for an hour',
    body: z.object({ username: z.string(), password: z.string() }),
    answer: z.object({ access_token: z.string(), token_type: z.literal('bearer') }),
    failures: { 404: 'No login is configured, and none is needed', 429: 'Too many wrong logins' },
    isOpen: true,
    handle: async ({ body: { username, password }, caller }) => ({
      access_token: await login.issue(username, password, caller.address),
      token_type: 'bearer',
    }),
  });
  api.add({
    method: 'GET',
    path: '/api/v1/me',
    tag: TAG,
    summary: 'Show what the token says',
    answer: z.looseObject({ sub: z.string(), iat: z.number().optional(), exp: z.number().optional() }),
    handle: ({ caller }) => caller.identity,
  });
  api.add({
    method: 'GET',
    path: '/api/v1/status',
    tag: TAG,
    summary: 'Show the state of the pipeline and its parts',
    answer: v1Status,
    handle: ({ engine }) => withoutCredentials(viewV1Status(engine.snapshot())),
  });
  api.add({
    method: 'GET',
    path: '/api/v1/monitoring/statistics',
    tag: TAG,
    summary: 'Show the statistics',
    answer: statistics,
    handle: ({ engine }) => withoutCredentials(viewStatistics(engine)),
  });
  addSecrets(api);
  api.add({
    method: 'GET',
    path: '/api/v2/info',
    tag: TAG,
    summary: 'Show the version',
    answer: z.object({ version: z.string(), leader_election_mode: z.literal('disabled') }),
    isOpen: true,
    handle: () => ({ version: VERSION, leader_election_mode: 'disabled' }),
  });
}

function addSecrets(api: Api): void {
  const done = z.object({ status: z.boolean() });
  const values = z.record(z.string(), z.string());
  api.add({
    method: 'PUT',
    path: '/api/v1/secrets/{secret_name}',
    tag: TAG,
    summary: 'Set secrets by key; the name of their group is ignored',
    params: z.object({ secret_name: z.string() }),
    body: values,
    answer: done,
    handle: async ({ engine, body }) => {
      for (const [key, value] of Object.entries(body)) await engine.secrets.set(key, value);
      return { status: true };
    },
  });
  api.add({
    method: 'PUT',
    path: '/api/v1/secrets',
    tag: TAG,
    summary: 'Set groups of secrets by key',
    body: z.record(z.string(), values),
    answer: done,
    handle: async ({ engine, body }) => {
      for (const group of Object.values(body)) {
        for (const [key, value] of Object.entries(group)) await engine.secrets.set(key, value);
      }
      return { status: true };
    },
  });
}

function viewV1Status(snapshot: EngineSnapshot): z.output<typeof v1Status> {
  const { pipeline, endpoint, targets, version, syncMode } = snapshot;
  const error =
    findProblems(snapshot).find(({ severity }) => severity === 'error')?.text ?? pipeline.failure ?? undefined;
  const isStopped = pipeline.state === 'stopped';
  const isReady = pipeline.state === 'started' && error === undefined;
  const status = isStopped ? 'stopped' : isReady ? 'ready' : 'not-ready';
  const isFed = endpoint.connections.some(({ name }) => name === SINK_CLIENT);
  const told = error === undefined ? {} : { error };
  return {
    components: {
      processor: { status, connected: targets.every(({ state }) => state.state === 'ready'), version, ...told },
      'collector-source': { status: isFed ? 'ready' : 'not-ready', connected: isFed },
    },
    pipelines: {
      default: {
        status,
        state: isStopped || !pipeline.isDeployed ? 'not-running' : syncMode === 'SNAPSHOT' ? 'initial-sync' : 'cdc',
        ...(error === undefined ? {} : { last_error: error }),
        tasks: [],
      },
    },
  };
}

/** What RDI asks of the source database, and rdi cannot know. */
export function addSourceRoutes(api: Api): void {
  const refusal = 'rdi does not read source databases: what Debezium Server is set up for comes in.';
  const v1 = (path: string, summary: string) =>
    api.add({
      method: 'GET',
      path: `/api/v1/pipelines/sources/{source}/${path}`,
      tag: TAG,
      summary,
      params: z.object({ source: z.string() }),
      answer: z.object({}),
      failures: { 423: 'Always: rdi does not read source databases' },
      handle: () => {
        throw new HttpError(423, refusal);
      },
    });
  v1('schemas', 'List the schemas of a source: not available');
  v1('databases', 'List the databases of a source: not available');
  v1('tables', 'List the tables of a source: not available');
  v1('columns', 'List the columns of a source: not available');
  v1('metadata', 'Show tables and columns of a source: not available');
  api.add({
    method: 'POST',
    path: '/api/v1/pipelines/sources/dry-run',
    tag: TAG,
    summary: 'Test the connection to a source: not available',
    body: z.unknown(),
    answer: z.object({}),
    failures: { 405: 'Always: Redis Insight takes this for "not supported"' },
    handle: () => {
      throw new HttpError(405, refusal);
    },
  });
  api.add({
    method: 'GET',
    path: '/api/v2/pipelines/{name}/source-schemas/{source}',
    tag: TAG,
    summary: 'Show tables and columns of a source: not available',
    params: z.object({ name: z.string(), source: z.string() }),
    answer: z.object({}),
    failures: { 501: 'Always: rdi does not read source databases' },
    handle: () => {
      throw new HttpError(501, refusal);
    },
  });
}
