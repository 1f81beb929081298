import type { TargetError } from '../errors.ts';
import { judge, worse } from './answers.ts';
import { emitCommands } from './commands.ts';
import { type Dialer, dialerFor } from './dial.ts';
import { CommandBuffer } from './encode.ts';
import type { Unit } from './fold.ts';
import { type Greeting, greet, infoFacts, PROBE_JSON, readInfo, readJsonProbe, unavailable } from './handshake.ts';
import { NO_FACTS, type PipelineAnswer, type SentPipeline, type TargetFacts, type TargetLink } from './link.ts';
import { type ConnectionId, describeEndpoint, type Endpoint, type FullOptions } from './options.ts';
import { type Reply, ReplyError } from './replies.ts';
import { Session, type SessionAnswer, SilenceError } from './session.ts';

/** Doublings of the silence limit; the longest is eight times the configured one. */
const MAX_PATIENCE = 3;

/**
 * One connection to one server: standalone, or the master that the Sentinels name.
 *
 * The server executes what a connection sends in order. When a connection is given up while the server still holds bytes
 * of it, those could be executed after writes sent on the next one; so the next one first has the server kill the former
 * (`CLIENT KILL ID`), if it is the same process. The former may have belonged to a process of ours that was killed: its
 * kernel goes on sending what it had been given.
 */
export class SingleLink implements TargetLink {
  facts: TargetFacts = NO_FACTS;
  onLost: (reason: TargetError) => void = () => {};
  readonly #endpoint: Endpoint;
  readonly #options: FullOptions;
  readonly #where: string;
  readonly #dialer: Dialer;
  readonly #spare: CommandBuffer[] = [];
  #session: Session | undefined;
  #former: ConnectionId | null | undefined;
  #patience = 0;
  #closed = false;

  constructor(endpoint: Endpoint, options: FullOptions) {
    this.#endpoint = endpoint;
    this.#options = options;
    this.#where = describeEndpoint(endpoint);
    this.#dialer = dialerFor(endpoint, options.connectTimeoutMs);
  }

  async open(): Promise<void> {
    const session = await this.#dial();
    try {
      const greeting = await greet(session, this.#endpoint, this.#where);
      if (!this.#dialer.accepts(greeting.role)) {
        throw unavailable(`The Sentinels named a server whose role is ${greeting.role}`, this.#where);
      }
      await this.#fence(session, greeting);
      this.#remember(greeting);
      if (!session.isOpen || this.#closed) throw unavailable('The target closed the connection', this.#where);
      this.facts = { ...greeting.facts, mode: this.#endpoint.sentinel ? 'sentinel' : 'standalone' };
    } catch (error) {
      session.end(new Error('the greeting failed'));
      throw error;
    }
    const { socketTimeoutMs, wait } = this.#options;
    session.allowSilence(socketTimeoutMs * 2 ** this.#patience + (wait.enabled ? wait.timeoutMs : 0));
    session.onEnd = (reason) => this.#lost(session, reason);
    this.#session = session;
  }

  send(units: readonly Unit[]): SentPipeline {
    const { maxBytesPerPipeline, nativeJsonMerge, wait } = this.#options;
    const buffer = this.#spare.pop() ?? new CommandBuffer();
    buffer.length = 0;
    const way = { jsonMerge: this.facts.jsonMerge, nativeJsonMerge };
    const counts: number[] = [];
    let commands = 0;
    for (const unit of units) {
      const count = emitCommands(unit, buffer, way);
      counts.push(count);
      commands += count;
      if (buffer.length >= maxBytesPerPipeline) break;
    }
    if (wait.enabled) {
      emitWait(buffer, wait.timeoutMs);
      commands++;
    }
    const answer = this.#session!.send(buffer.bytes.subarray(0, buffer.length), commands, () => this.#recycle(buffer));
    return {
      taken: counts.length,
      bytes: buffer.length,
      answer: answer.then((result) => this.#combine(result, counts)),
    };
  }

  async refresh(): Promise<void> {
    const answer = await this.#session?.commands([[...PROBE_JSON], ['INFO']]);
    if (!answer || answer.lost) throw unavailable('The connection to the target broke', this.#where, answer?.lost);
    const [probe, info] = answer.replies;
    this.facts = { ...this.facts, ...readJsonProbe(probe) };
    if (typeof info === 'string') this.facts = { ...this.facts, ...infoFacts(readInfo(info)) };
  }

  lacks(what: 'json' | 'jsonMerge'): void {
    this.facts = { ...this.facts, [what]: false };
  }

  drop(reason: Error): void {
    this.#session?.end(reason);
  }

  close(): void {
    this.#closed = true;
    this.#session?.end(new Error('the writer was closed'));
    this.#dialer.close();
  }

  async #dial(): Promise<Session> {
    const { connectTimeoutMs, clock } = this.#options;
    try {
      const socket = await this.#dialer.dial(connectTimeoutMs);
      return new Session(socket, connectTimeoutMs, clock.elapsed);
    } catch (error) {
      const said = error instanceof Error ? error.message || (error as NodeJS.ErrnoException).code : String(error);
      throw unavailable(`The target cannot be reached: ${said}`, this.#where, error);
    }
  }

  async #fence(session: Session, greeting: Greeting): Promise<void> {
    this.#former ??= this.#options.lastConnection.read();
    const former = this.#former;
    if (!former?.clientId || !former.runId || former.runId !== greeting.runId) return;
    const { lost } = await session.commands([['CLIENT', 'KILL', 'ID', former.clientId]]);
    if (lost) throw unavailable(`The connection to the target broke: ${lost.message}`, this.#where, lost);
    // Whatever the answer: killed, already gone, or no permission, which leaves nothing to do.
  }

  /** Before anything is written over the connection, so that no process can leave one behind that nobody knows of. */
  #remember({ runId, clientId }: Greeting): void {
    this.#former = { runId, clientId };
    try {
      this.#options.lastConnection.remember(this.#former);
    } catch (error) {
      // On a full disk the writing must go on, because only that makes room.
      this.#options.onWarning(`The connection to the target cannot be noted: ${(error as Error).message}`);
    }
  }

  #lost(session: Session, reason: Error): void {
    if (this.#session !== session) return;
    this.#session = undefined;
    if (reason instanceof SilenceError) this.#patience = Math.min(this.#patience + 1, MAX_PATIENCE);
    this.onLost(unavailable(`The connection to the target broke: ${reason.message}`, this.#where, reason));
  }

  #recycle(buffer: CommandBuffer): void {
    const { maxBatchesInFlight, maxBytesPerPipeline } = this.#options;
    const isLarge = buffer.bytes.length > maxBytesPerPipeline * 2;
    if (!isLarge && this.#spare.length < maxBatchesInFlight) this.#spare.push(buffer);
  }

  #combine({ replies, lost }: SessionAnswer, counts: readonly number[]): PipelineAnswer {
    if (!lost) this.#patience = 0;
    const answers: (string | null | undefined)[] = [];
    let at = 0;
    for (const count of counts) {
      answers.push(combineReplies(replies, at, at + count));
      at += count;
    }
    if (!this.#options.wait.enabled) return { answers, replicas: null };
    const confirmed = replies[at];
    return { answers, replicas: typeof confirmed === 'number' ? confirmed : 0 };
  }
}

/** One answer out of the replies `[start, end)` of a unit's commands. */
export function combineReplies(replies: readonly Reply[], start: number, end: number): string | null | undefined {
  let text: string | null = null;
  for (let at = start; at < end; at++) {
    if (at >= replies.length) return undefined;
    const reply = replies[at];
    if (!(reply instanceof ReplyError)) continue;
    text = text === null || worse(judge(reply.text), judge(text)) !== judge(text) ? reply.text : text;
  }
  return text;
}

function emitWait(buffer: CommandBuffer, timeoutMs: number): void {
  buffer.begin(3);
  buffer.text('WAIT');
  buffer.text('1');
  buffer.text(String(timeoutMs));
}
