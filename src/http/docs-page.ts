import type { AnyRoute } from './route-table.ts';

/** Nothing is loaded from anywhere, and nothing runs. */
const POLICY =
  "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

export const DOCS_HEADERS: Readonly<Record<string, string>> = {
  'content-type': 'text/html; charset=utf-8',
  'content-security-policy': POLICY,
  'x-content-type-options': 'nosniff',
};

const STYLE = `:root{color-scheme:light dark;font:15px/1.5 system-ui,sans-serif}body{max-width:60rem;margin:2rem auto;padding:0 1rem}
h2{margin-top:2.5rem;border-bottom:1px solid #8886}section{margin:1.2rem 0}h3{margin:0;font-size:1rem}
code{font-family:ui-monospace,monospace}.m{display:inline-block;min-width:4.5rem;font-weight:700}.q{margin:.2rem 0 0 4.5rem;padding:0}
.q li{list-style:none}p{margin:.1rem 0 .1rem 4.5rem}`;

interface Described {
  readonly parameters?: readonly { readonly name: string; readonly in: string; readonly description?: string }[];
  readonly responses: Readonly<Record<string, { readonly description: string }>>;
}

/** The page of the API: every operation with its parameters and statuses. `document` is what `openApiOf` made of the routes. */
export function docsPage(routes: readonly AnyRoute[], document: Readonly<Record<string, unknown>>): string {
  const paths = document['paths'] as Record<string, Record<string, Described>>;
  const tags = [...new Set(routes.map(({ tag }) => tag))];
  const parts = tags.map((tag) => {
    const own = routes.filter((route) => route.tag === tag).sort((a, b) => (a.path < b.path ? -1 : 1));
    const operations = own.map((route) => section(route, paths[route.path]![route.method.toLowerCase()]!));
    return `<h2>${escapeHtml(tag)}</h2>${operations.join('')}`;
  });
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>rdi: API</title><style>${STYLE}</style></head><body><main><h1>rdi: API</h1>
<p style="margin:0">Shapes of requests and answers: <a href="/api/openapi.json">openapi.json</a> (OpenAPI 3.1).</p>
${parts.join('\n')}</main></body></html>
`;
}

function section(route: AnyRoute, { parameters = [], responses }: Described): string {
  const items = parameters
    .filter((parameter) => parameter.in === 'query')
    .map(({ name, description = '' }) => `<li><code>${escapeHtml(name)}</code> ${escapeHtml(description)}</li>`);
  const statuses = Object.entries(responses)
    .filter(([code]) => !['400', '401', '422', '503'].includes(code))
    .map(([code, { description }]) => `${code} ${escapeHtml(description)}`);
  return `<section><h3><span class="m">${route.method}</span><code>${escapeHtml(route.path)}</code></h3>
<p>${escapeHtml(route.summary)}.</p>${items.length === 0 ? '' : `<ul class="q">${items.join('')}</ul>`}<p>${statuses.join(' · ')}</p></section>`;
}

function escapeHtml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
