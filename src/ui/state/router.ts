import { Store } from './store.ts';

/** A place of the page: `#/dlq/<stream>/<id>?reason=…`. Parts are decoded. */
export interface Route {
  /** The page's name, for example `overview`. */
  readonly page: string;
  readonly parts: readonly string[];
  readonly query: Readonly<Record<string, string>>;
}

/** Where the reader is. */
export const route = new Store<Route>(parseRoute(globalThis.location?.hash ?? ''));

globalThis.addEventListener?.('hashchange', () => route.set(parseRoute(location.hash)));

/** The place that a fragment names; `overview` for anything that cannot be read. */
export function parseRoute(hash: string): Route {
  const [path = '', search = ''] = hash.replace(/^#\/?/, '').split('?');
  try {
    const [page = '', ...parts] = path.split('/').map(decodeURIComponent);
    return { page: page || 'overview', parts, query: Object.fromEntries(new URLSearchParams(search)) };
  } catch {
    return { page: 'overview', parts: [], query: {} };
  }
}

/** The fragment of a place: every part is encoded, so that no name of a table can lead elsewhere. */
export function linkTo(
  page: string,
  parts: readonly string[] = [],
  query: Readonly<Record<string, string>> = {},
): string {
  const search = new URLSearchParams(query).toString();
  return `#/${[page, ...parts].map(encodeURIComponent).join('/')}${search ? `?${search}` : ''}`;
}

/** Goes to a place, as a link would. */
export function goTo(link: string): void {
  location.hash = link;
}
