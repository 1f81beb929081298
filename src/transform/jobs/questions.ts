import { InternalError } from '../../errors.ts';
import type { LookupReader } from '../types.ts';
import type { Run } from './run.ts';

/** One command, and all who want to know its answer. */
interface Asked {
  readonly command: readonly string[];
  readonly runs: Run[];
}

/**
 * Asks what the waiting records want to know, equal questions once, in pipelines of at most the lookup's batch size, all at
 * the same time, and gives each its reply. Rejects with the reason of `signal`.
 */
export async function answerAll(waiting: readonly Run[], signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  await Promise.all(pipelinesOf(waiting).map(({ reader, asked }) => ask(reader, asked, signal)));
}

async function ask(reader: LookupReader, asked: readonly Asked[], signal: AbortSignal): Promise<void> {
  const commands = asked.map(({ command }) => command);
  const replies = await reader.read(commands, signal);
  if (replies.length !== commands.length) {
    throw new InternalError(`A lookup of ${commands.length} commands got ${replies.length} replies`);
  }
  asked.forEach(({ runs }, i) => {
    for (const run of runs) run.answer(replies[i]!);
  });
}

function pipelinesOf(waiting: readonly Run[]): { reader: LookupReader; asked: Asked[] }[] {
  const pipelines: { reader: LookupReader; asked: Asked[] }[] = [];
  const open = new Map<LookupReader, Asked[]>();
  const known = new Map<LookupReader, Map<string, Asked>>();
  for (const run of waiting) {
    const { reader, batchSize } = run.lookup;
    const { command, key } = run.question!;
    let byKey = known.get(reader);
    if (byKey === undefined) {
      byKey = new Map();
      known.set(reader, byKey);
    }
    const same = byKey.get(key);
    if (same !== undefined) {
      same.runs.push(run);
      continue;
    }
    const question = { command, runs: [run] };
    byKey.set(key, question);
    let asked = open.get(reader);
    if (asked === undefined || asked.length >= batchSize) {
      asked = [];
      open.set(reader, asked);
      pipelines.push({ reader, asked });
    }
    asked.push(question);
  }
  return pipelines;
}
