import { Login } from './login.ts';
import type { AnyRoute } from './route-table.ts';
import { allRoutes } from './routes.ts';

/** The text of `docs/api.md`. Used by scripts/generate.ts. */
export function apiDocumentation(): string {
  const { routes } = allRoutes({ login: new Login({}), onError: () => {} });
  const tags = [...new Set(routes.map(({ tag }) => tag))];
  return [INTRODUCTION, ...tags.map((tag) => section(tag, routes))].join('\n\n');
}

const INTRODUCTION = `# HTTP API

A running rdi serves this API beside health and metrics, at \`http://127.0.0.1:8080\` unless \`http.listen\` says otherwise. What Redis
Data Integration publishes under \`/api/v1\` and \`/api/v2\` has RDI's paths and shapes, so that its clients, Redis Insight among
them, work; the rest is ours. The one pipeline is called \`default\`.

The shapes of requests and answers are in \`/api/openapi.json\` (OpenAPI 3.1) of a running rdi, and in short at \`/api/docs\`.

## Login

\`http.user\` and \`http.password\` (or \`http.token\`) switch it on; without them rdi is served on this machine only, and refuses
requests of foreign web pages. \`POST /api/v1/login\` with \`{"username": …, "password": …}\` answers with an \`access_token\` that holds for an
hour; it goes into the header \`Authorization: Bearer …\`. After five wrong logins a caller must wait, longer each time (429).
\`http.token\` is a bearer token that does not end, for scrapers. Open are \`/livez\`, \`/healthz\` (without \`?verbose\`), \`/readyz\`, \`/\`,
\`/api/v2/info\`, this description, and with \`http.open_metrics\` the metrics.

## Errors

\`{"detail": …, "errors": [{"code": …, "message": …, "details": …}]}\`; \`errors\` is there where more is known. For a wrong configuration there is one per
problem, and \`details\` is its place: \`{"file", "line", "col", "message"}\`. 400: the request cannot be read. 401: a token is needed. 403: a
foreign web page. 404, 405: no such thing. 409: it is there already. 422: the request or the configuration is wrong. 502: a target refuses.
503: the engine is starting, or a target or the store is away. Answers in lines of JSON that end early end with \`{"error": …}\`.

## Configuration as JSON

RDI's calls take \`config.yaml\` as JSON, with the jobs as \`"jobs": [{"name": …, "source": …, …}]\`. Texts that are deployed keep their
comments where a client sends back what it got. Secrets that are written out come as \`********\`, which sent back stands for the deployed value.
Calls of v1 that take time answer with an \`action_id\`; \`GET /api/v1/actions/{action_id}\` tells what became of it, for 15 minutes after its end.`;

function section(tag: string, routes: readonly AnyRoute[]): string {
  const own = routes.filter((route) => route.tag === tag).toSorted((a, b) => (a.path < b.path ? -1 : 1));
  const rows = own.map(
    ({ method, path, summary }) => `| ${method} | \`${path}\` | ${summary.replaceAll('|', '\\|')} |`,
  );
  return [`## ${tag}`, '', '| method | path | what it does |', '|---|---|---|', ...rows, ''].join('\n');
}
