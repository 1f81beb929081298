/**
 * The HTTP interface: health, metrics, and the API that operates the engine in this process.
 *
 * In: an engine (or none yet, while it starts), an address, who may log in. Out: `/livez`, `/healthz[?verbose]`, `/readyz`,
 * `/metrics` with RDI's aliases, RDI's API under `/api/v1` and `/api/v2`, our own additions to it under `/api/v2`, its
 * description at `/api/openapi.json` and `/api/docs`, and the web page.
 *
 * Promises:
 * - What is served and what is described are the same: a {@link Route} holds shapes and handler, `openapi.ts` reads the shapes.
 * - Liveness never depends on engine or target; readiness is 503 with reasons.
 * - Errors have RDI's form: `{detail}`, and `errors` with code, message and details where more is known. No stack traces.
 * - No answer holds a secret: configuration comes masked, and no text holds the user part of a URL.
 * - Without a configured login only this machine can reach it (`config/`), and it refuses requests of foreign web pages.
 * - fastify is the only thing that is loaded at start; the API's shapes come with the first request to it.
 *
 * Does not: decide what operations do (`control/`), keep anything but the actions of the last minutes, or speak HTTP/2.
 *
 * The way of a request: `guard.ts` (pages) → `require-login.ts` (who) → `answer.ts` with `route-table.ts` (which route, its shapes) →
 * a file of routes → `control/`; what goes wrong becomes an answer in `failures.ts`.
 */
export { type HttpOptions, type HttpServer, startHttp } from './server.ts';
