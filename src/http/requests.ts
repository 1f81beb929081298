import { type Engine, resolveStreamName } from '../control/index.ts';
import { closestWord } from '../lib/closest.ts';
import { HttpError } from './api.ts';

/** The full name of the stream that a client means, see {@link resolveStreamName}. Refuses with 404 when it is none, or several. */
export function requireStream(engine: Engine, given: string): string {
  const { dlqs, streams } = engine.snapshot();
  const names = [...new Set([...dlqs.map(({ stream }) => stream), ...streams.map(({ name }) => name)])];
  const name = resolveStreamName(given, names);
  if (name !== undefined) return name;
  throw new HttpError(404, noStream(given, names));
}

function noStream(given: string, names: readonly string[]): string {
  const several = names.filter((name) => /[.:]/.test(name.at(-given.length - 1) ?? '') && name.endsWith(given));
  if (several.length > 1) return `Several streams are called ${given}: ${several.join(', ')}. Give more of the name.`;
  const close = closestWord(given, [...new Set(names.flatMap(endings))]);
  return `No stream is called ${given}${close === undefined ? '.' : `; did you mean ${close}?`} rdi status shows all names.`;
}

/** The name and what may stand for it: `data:shop.public.orders`, `shop.public.orders`, `public.orders`, `orders`. */
function endings(name: string): string[] {
  return [name, ...[...name.matchAll(/[.:]/g)].map(({ index }) => name.slice(index + 1))];
}
