import { type Engine, resolveStreamName } from '../control/index.ts';
import { HttpError } from './api.ts';

/** The full name of the stream that a client means, see {@link resolveStreamName}. Refuses with 404 when it is none, or several. */
export function requireStream(engine: Engine, given: string): string {
  const { dlqs, streams } = engine.snapshot();
  const names = [...new Set([...dlqs.map(({ stream }) => stream), ...streams.map(({ name }) => name)])];
  const name = resolveStreamName(given, names);
  if (name !== undefined) return name;
  throw new HttpError(404, `No stream, or more than one, is called ${given}. rdi status shows the full names.`);
}
