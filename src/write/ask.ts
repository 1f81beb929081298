import { TargetError } from '../errors.ts';
import { type Dialer, dialerFor } from './dial.ts';
import { endpointOf, type HostPort, type TargetConnection } from './options.ts';
import { type Reply, ReplyError } from './replies.ts';
import { Session } from './session.ts';

/** An answer to one command: a text, a number, nothing, a list; or the words of a refusal. */
export type Answer = string | number | null | readonly Answer[] | { readonly refused: string };

/** A short conversation with one server: commands one after the other, each answered. */
export interface Conversation {
  ask(...words: string[]): Promise<Answer>;
}

/**
 * Connects to a target as the writer would, logs in, and lets `talk` ask a few things. Of a Cluster the first node that can be
 * reached answers; behind Sentinels it is the master.
 *
 * Throws a {@link TargetError}: `TARGET_UNAVAILABLE` when it cannot be reached or falls silent within `timeoutMs`, `TARGET_AUTH`
 * when it refuses user or password. What it answers to single commands is for `talk` to judge.
 */
export async function askTarget<T>(
  connection: TargetConnection,
  timeoutMs: number,
  talk: (conversation: Conversation) => Promise<T>,
): Promise<T> {
  const { session, close } = await open(connection, timeoutMs);
  try {
    const ask = async (...words: string[]) => {
      const { replies, lost } = await session.commands([words]);
      if (lost) throw new TargetError('TARGET_UNAVAILABLE', `The connection broke: ${lost.message}`);
      return toAnswer(replies[0] ?? null);
    };
    await logIn(connection, ask);
    return await talk({ ask });
  } finally {
    close();
  }
}

async function open(connection: TargetConnection, timeoutMs: number): Promise<{ session: Session; close: () => void }> {
  const places: readonly (HostPort | undefined)[] = connection.cluster?.nodes ?? [undefined];
  let failure: unknown;
  for (const place of places) {
    const { cluster: _, ...single } = connection;
    const endpoint = endpointOf(place === undefined ? single : { ...single, host: place.host, port: place.port });
    const dialer: Dialer = dialerFor(endpoint, timeoutMs);
    try {
      const socket = await within(dialer.dial(timeoutMs), timeoutMs);
      const session = new Session(socket, timeoutMs, () => performance.now());
      return {
        session,
        close: () => {
          session.end(new Error('all was asked'));
          dialer.close();
        },
      };
    } catch (error) {
      dialer.close();
      failure = error;
    }
  }
  const { message, code } = failure as NodeJS.ErrnoException;
  throw new TargetError('TARGET_UNAVAILABLE', message || code || String(failure), { cause: failure });
}

/** Sentinels that cannot be reached are asked again and again by their client. */
function within<T>(promise: Promise<T>, timeoutMs: number): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error(`no connection within ${timeoutMs} ms`)), timeoutMs);
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

async function logIn(connection: TargetConnection, ask: Conversation['ask']): Promise<void> {
  const { user, password, db } = endpointOf(connection);
  if (password !== undefined) check(await ask('AUTH', ...(user === undefined ? [] : [user]), password));
  if (db !== 0) check(await ask('SELECT', String(db)));
}

function check(answer: Answer): void {
  if (answer === null || typeof answer !== 'object' || !('refused' in answer)) return;
  // A password that the server does not ask for does no harm.
  if (/no password is set|without any password configured/i.test(answer.refused)) return;
  throw new TargetError('TARGET_AUTH', answer.refused);
}

function toAnswer(reply: Reply): Answer {
  if (reply instanceof ReplyError) return { refused: reply.text };
  if (Array.isArray(reply)) return reply.map(toAnswer);
  return reply as Answer;
}
