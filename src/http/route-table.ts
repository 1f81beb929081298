import type { z } from 'zod';
import type { Api, Route } from './api.ts';

/** A route whatever its shapes are. */
export type AnyRoute = Route<z.ZodType, z.ZodType, z.ZodType>;

interface Entry {
  readonly route: AnyRoute;
  readonly pattern: RegExp;
}

/** What a request means: a route with its parameters, or which methods the path has, or nothing. */
export type Match =
  | { readonly kind: 'route'; readonly route: AnyRoute; readonly params: Readonly<Record<string, string>> }
  | { readonly kind: 'wrong method'; readonly allowed: readonly string[] }
  | { readonly kind: 'bad path' }
  | { readonly kind: 'nothing' };

/** All operations of the API: collects them, and finds the one that a request means. */
export class RouteTable implements Api {
  readonly #entries: Entry[] = [];

  get routes(): readonly AnyRoute[] {
    return this.#entries.map(({ route }) => route);
  }

  add<P extends z.ZodType, Q extends z.ZodType, B extends z.ZodType>(route: Route<P, Q, B>): void {
    const entry = { route: route as unknown as AnyRoute, pattern: patternOf(route.path) };
    // Names that are written out win over parameters: `/dlqs/retry` is not the table `retry`.
    const place = this.#entries.findIndex(({ route: other }) => parameters(other.path) > parameters(route.path));
    this.#entries.splice(place === -1 ? this.#entries.length : place, 0, entry);
  }

  /** `path` as it was sent, without the query. */
  match(method: string, path: string): Match {
    const found = this.#entries.flatMap(({ route, pattern }) => {
      const hit = pattern.exec(path);
      return hit === null ? [] : [{ route, groups: hit.groups ?? {} }];
    });
    if (found.length === 0) return { kind: 'nothing' };
    const hit = found.find(({ route }) => route.method === method);
    if (hit === undefined) return { kind: 'wrong method', allowed: found.map(({ route }) => route.method) };
    try {
      const params = Object.entries(hit.groups).map(([name, text]) => [name, decodeURIComponent(text)] as const);
      return { kind: 'route', route: hit.route, params: Object.fromEntries(params) };
    } catch {
      return { kind: 'bad path' };
    }
  }
}

function parameters(path: string): number {
  return path.split('{').length;
}

/** A parameter is one step of the path, as it was sent: a stream name may hold an encoded slash. */
function patternOf(path: string): RegExp {
  const source = path.replaceAll(/[.*+?^$()|[\]\\]/g, '\\$&').replaceAll(/\{(\w+)\}/g, '(?<$1>[^/]+)');
  return new RegExp(`^${source}/?$`);
}
