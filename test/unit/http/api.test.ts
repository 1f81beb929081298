import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { Login } from '../../../src/http/login.ts';
import { openApiOf } from '../../../src/http/openapi.ts';
import type { AnyRoute } from '../../../src/http/route-table.ts';
import { allRoutes } from '../../../src/http/routes.ts';
import { engineSnapshot, fakeEngine, streamAccount } from '../../helpers/engine-snapshot.ts';
import { SMALL_DOCUMENT } from '../../helpers/fake-pipeline.ts';
import { type Answer, serve, type TestServer } from '../../helpers/http-server.ts';

/** RDI's published operations (specification of the API, section 5, without the base path). */
const PUBLISHED_V1 = `
POST /login; GET /me; GET /pipelines; POST /pipelines; PATCH /pipelines; POST /pipelines/undeploy; POST /pipelines/start;
POST /pipelines/stop; POST /pipelines/reset; GET /actions/{action_id}; PUT /pipelines/sources; PUT /pipelines/sources/{name};
PATCH /pipelines/sources/{name}; DELETE /pipelines/sources/{name}; PUT /pipelines/targets; PUT /pipelines/targets/{name};
PATCH /pipelines/targets/{name}; DELETE /pipelines/targets/{name}; PUT /pipelines/secret-providers/{name};
PATCH /pipelines/secret-providers/{name}; DELETE /pipelines/secret-providers/{name}; PUT /pipelines/processors;
PUT /pipelines/processors/{prop}; POST /pipelines/sources/dry-run; POST /pipelines/targets/dry-run; POST /pipelines/target/dry-run;
GET /pipelines/sources/{s}/schemas; GET /pipelines/sources/{s}/databases; GET /pipelines/sources/{s}/tables;
GET /pipelines/sources/{s}/columns; GET /pipelines/sources/{s}/metadata; GET /pipelines/config/schemas;
GET /pipelines/config/templates/ingest/{db_type}; GET /pipelines/jobs/schemas; GET /pipelines/jobs/templates/ingest;
GET /pipelines/jobs/functions; POST /pipelines/jobs/dry-run; GET /pipelines/strategies; PUT /secrets/{secret_name}; PUT /secrets;
GET /status; GET /monitoring/statistics; POST /trace/start`;
const PUBLISHED_V2 = `
GET /info; GET /pipelines; POST /pipelines; GET /pipelines/{name}; PUT /pipelines/{name}; PATCH /pipelines/{name};
DELETE /pipelines/{name}; GET /pipelines/{name}/status; POST /pipelines/{name}/start; POST /pipelines/{name}/stop;
POST /pipelines/{name}/reset; GET /pipelines/{name}/metric-collections; GET /pipelines/{name}/metric-collections/{c};
GET /pipelines/{name}/dlqs; GET /pipelines/{name}/dlqs/{table}; GET /pipelines/{name}/dlqs/{table}/records;
GET /pipelines/{name}/secrets; POST /pipelines/{name}/secrets; GET /pipelines/{name}/secrets/{key};
PUT /pipelines/{name}/secrets/{key}; DELETE /pipelines/{name}/secrets/{key}; GET /pipelines/{name}/source-schemas/{source};
POST /pipelines/{name}/flush-target/{target}; GET /schemas/config; GET /schemas/jobs; GET /functions; POST /pipelines/{name}/traces`;

const routes = allRoutes({ login: new Login({}), onError: () => {} }).routes;
const document = openApiOf(routes);

function published(text: string, base: string): string[] {
  return text
    .split(';')
    .map((line) => line.trim().split(' '))
    .map(([method, path]) => `${method} ${base}${path?.replaceAll(/\{\w+\}/g, '{}')}`);
}

describe('the API', () => {
  it.each([...published(PUBLISHED_V1, '/api/v1'), ...published(PUBLISHED_V2, '/api/v2')])(
    'serves RDI’s %s',
    (wanted) => {
      const served = routes.map(({ method, path }) => `${method} ${path.replaceAll(/\{\w+\}/g, '{}')}`);
      expect(served).toContain(wanted);
    },
  );

  it('has each operation once', () => {
    const served = routes.map(({ method, path }) => `${method} ${path.replaceAll(/\{\w+\}/g, '{}')}`);
    expect(served.filter((one, index) => served.indexOf(one) !== index)).toEqual([]);
    const ids = Object.values(document['paths'] as object).flatMap((path: Record<string, { operationId: string }>) =>
      Object.values(path).map(({ operationId }) => operationId),
    );
    expect(new Set(ids).size).toBe(routes.length);
  });
});

const STREAM = 'data%3A%7Brdi%7D%3Ashop.orders';
const CONFIG = { targets: { target: { connection: { type: 'redis', host: 'h', port: 1 } } } };
const JOB = { source: { table: 'orders' }, output: [{ uses: 'redis.write', with: { connection: 'target' } }] };

/** What fills the parameters of the paths. */
const PARAMS: Readonly<Record<string, string>> = {
  name: 'default',
  table: 'orders',
  stream: STREAM,
  id: '1795000000000-0',
  number: '1',
  job: 'orders',
  target: 'target',
  key: 'TARGET_DB_PASSWORD',
  collection: 'processor',
  db_type: 'mysql',
  source: 'shop',
  secret_name: 'any',
  prop: 'read_batch_size',
};

interface Call {
  readonly path?: string;
  readonly query?: string;
  readonly body?: unknown;
  readonly status?: number;
}

/** How each operation is called that needs more than its parameters; `status` where it is not the route's own. */
const CALLS: Readonly<Record<string, Call>> = {
  'POST /api/v1/login': { body: { username: 'u', password: 'p' }, status: 404 },
  'POST /api/v1/pipelines': { body: { config: CONFIG } },
  'PATCH /api/v1/pipelines': { body: { processors: { read_batch_size: 7 } } },
  'PUT /api/v1/pipelines/sources': { body: {} },
  'PUT /api/v1/pipelines/targets': { body: CONFIG.targets },
  'PUT /api/v1/pipelines/processors': { body: { read_batch_size: 9 } },
  'PUT /api/v1/pipelines/processors/{prop}': { body: { value: 11 } },
  'PUT /api/v1/pipelines/sources/{name}': {
    path: '/api/v1/pipelines/sources/psql',
    body: { connection: { type: 'postgresql', host: 'h', port: 5432, user: 'u', password: 'p', database: 'd' } },
  },
  'PATCH /api/v1/pipelines/sources/{name}': { path: '/api/v1/pipelines/sources/psql', body: { name: 'n' } },
  'DELETE /api/v1/pipelines/sources/{name}': { path: '/api/v1/pipelines/sources/psql' },
  'PUT /api/v1/pipelines/targets/{name}': { path: '/api/v1/pipelines/targets/second', body: CONFIG.targets.target },
  'PATCH /api/v1/pipelines/targets/{name}': { path: '/api/v1/pipelines/targets/second', body: { name: 'n' } },
  'DELETE /api/v1/pipelines/targets/{name}': { path: '/api/v1/pipelines/targets/second' },
  'PUT /api/v1/pipelines/secret-providers/{name}': {
    path: '/api/v1/pipelines/secret-providers/v',
    body: { type: 'vault', parameters: { objects: [{}] } },
  },
  'PATCH /api/v1/pipelines/secret-providers/{name}': {
    path: '/api/v1/pipelines/secret-providers/v',
    body: { parameters: { objects: [{ a: 'b' }] } },
  },
  'DELETE /api/v1/pipelines/secret-providers/{name}': { path: '/api/v1/pipelines/secret-providers/v' },
  'POST /api/v1/pipelines/sources/dry-run': { body: {}, status: 405 },
  'POST /api/v1/pipelines/targets/dry-run': { body: { targets: { target: { connection: {} } } } },
  'POST /api/v1/pipelines/target/dry-run': { body: { type: 'redis' } },
  'POST /api/v1/pipelines/jobs/dry-run': { body: { job: JOB, input_data: [{ id: 1 }] } },
  'PUT /api/v1/secrets/{secret_name}': { body: { A: 'x' } },
  'PUT /api/v1/secrets': { body: { group: { B: 'x' } } },
  'POST /api/v1/trace/start': { body: { timeout: 1 } },
  'POST /api/v2/pipelines': { body: { config: CONFIG }, status: 409 },
  'PUT /api/v2/pipelines/{name}': { body: { active: true, config: CONFIG } },
  'PATCH /api/v2/pipelines/{name}': { body: { config: { processors: { read_batch_size: 8 } } } },
  'POST /api/v2/pipelines/{name}/revisions': { body: { document: SMALL_DOCUMENT } },
  'POST /api/v2/pipelines/{name}/secrets': { body: { key: 'NEW', value: 'x' } },
  'PUT /api/v2/pipelines/{name}/secrets/{key}': { body: { value: 'x' } },
  'PUT /api/v2/pipelines/{name}/dlqs/{table}/records/{id}': { body: { value: '{}' } },
  'GET /api/v2/pipelines/{name}/source-schemas/{source}': { status: 501 },
};
for (const part of ['schemas', 'databases', 'tables', 'columns', 'metadata']) {
  (CALLS as Record<string, Call>)[`GET /api/v1/pipelines/sources/{source}/${part}`] = { status: 423 };
}
/** They need a history, or a running action; their own tests call them. */
const ELSEWHERE = /\/(traces|explain|events|jobs\/try|actions\/)/;

describe('every answer has the shape that the OpenAPI document gives it', () => {
  const stopped = streamAccount({ stopped: { reason: 'no key', entryId: '1-0', since: 1 } });
  const engine = fakeEngine(() => engineSnapshot({ streams: [stopped] }));
  let server: TestServer;

  beforeAll(async () => {
    server = await serve(engine);
  });
  afterAll(() => server.close());
  // One of the routes stops it.
  beforeEach(() => engine.pipeline.start());

  // What deletes comes last, so that the others find something.
  const ordered = routes.filter(({ path }) => !ELSEWHERE.test(path)).toSorted((a, b) => rank(a) - rank(b));

  it.each(ordered.map((route) => [`${route.method} ${route.path}`, route] as const))('%s', async (name, route) => {
    const call: Call = CALLS[name] ?? {};
    const path = call.path ?? route.path.replaceAll(/\{(\w+)\}/g, (_, parameter: string) => PARAMS[parameter] ?? 'x');
    const answer = await server.call(route.method, path + (call.query ?? ''), call.body);
    const status = call.status ?? route.status ?? 200;
    expect(answer, JSON.stringify(answer.body)).toMatchObject({ status });
    checkAnswer(route, answer);
    expect(JSON.stringify(answer.body)).not.toContain('hunter2');
    expect(server.errors).toEqual([]);
  });
});

function rank({ method, path }: AnyRoute): number {
  const isReplacing =
    /(\/pipelines|v1\/pipelines\/(sources|targets)|\/pipelines\/\{name\}|\/revisions|\/rollback)$/.test(path);
  if (isReplacing && (method === 'POST' || method === 'PUT')) return -1;
  if (/undeploy|dlqs\/(retry|drop)$/.test(path)) return 3;
  if (method === 'DELETE') return path.includes('v1') ? 2 : 4;
  return method === 'PATCH' ? 1 : 0;
}

function checkAnswer(route: AnyRoute, { status, body }: Answer): void {
  const operation = (document['paths'] as Record<string, Record<string, { responses: Record<string, Described> }>>)[
    route.path
  ]?.[route.method.toLowerCase()];
  const described = operation?.responses[String(status)];
  expect(described, `status ${status} is not described`).toBeDefined();
  const content = Object.values(described?.content ?? {})[0];
  if (content === undefined) {
    expect(body).toBe('');
    return;
  }
  const failure = (document['components'] as { schemas: { Failure: object } }).schemas.Failure;
  const schema = '$ref' in content.schema ? failure : content.schema;
  const lines = route.isStream === true && status === 200 ? String(body).trim().split('\n') : null;
  const shape = z.fromJSONSchema(schema as Parameters<typeof z.fromJSONSchema>[0]);
  for (const value of lines === null ? [body] : lines.map((line) => JSON.parse(line))) {
    const parsed = shape.safeParse(value);
    expect(parsed.error?.issues ?? []).toEqual([]);
  }
}

interface Described {
  readonly content?: Readonly<Record<string, { readonly schema: object }>>;
}
