import type { Cluster } from 'ioredis';
import type { TargetError } from '../errors.ts';
import { describeReply, judge } from './answers.ts';
import { createCluster, messageOf } from './cluster-client.ts';
import { emitCommands } from './commands.ts';
import { CommandWords } from './encode.ts';
import type { Unit } from './fold.ts';
import { infoFacts, loginRefused, PROBE_JSON, readInfo, readJsonProbe, unavailable } from './handshake.ts';
import { NO_FACTS, type PipelineAnswer, type SentPipeline, type TargetFacts, type TargetLink } from './link.ts';
import { describeEndpoint, type Endpoint, type FullOptions } from './options.ts';
import type { Reply } from './replies.ts';

/**
 * A Redis Cluster through ioredis, which finds the node of each key and follows MOVED and ASK.
 *
 * Redirections may change the order of commands, so only one command per key is under way: the first commands of all
 * units in one round, the second ones in the next. The client looks after its connections by itself and repeats for a
 * while what a node did not take; what it gives up on is in doubt and repeated by the writer.
 */
export class ClusterLink implements TargetLink {
  facts: TargetFacts = { ...NO_FACTS, mode: 'cluster' };
  onLost: (reason: TargetError) => void = () => {};
  readonly #endpoint: Endpoint;
  readonly #options: FullOptions;
  readonly #where: string;
  #cluster: Cluster | undefined;

  constructor(endpoint: Endpoint, options: FullOptions) {
    this.#endpoint = endpoint;
    this.#options = options;
    this.#where = describeEndpoint(endpoint);
  }

  async open(): Promise<void> {
    this.#cluster?.disconnect();
    const { connectTimeoutMs, socketTimeoutMs, wait } = this.#options;
    const silenceMs = socketTimeoutMs + (wait.enabled ? wait.timeoutMs : 0);
    const cluster = await createCluster(this.#endpoint, connectTimeoutMs, silenceMs);
    this.#cluster = cluster;
    try {
      await this.#ready(cluster);
      await this.refresh();
    } catch (error) {
      cluster.disconnect();
      throw error;
    }
  }

  send(units: readonly Unit[]): SentPipeline {
    const way = { jsonMerge: this.facts.jsonMerge, nativeJsonMerge: this.#options.nativeJsonMerge };
    const commands = units.map((unit) => {
      const words = new CommandWords();
      emitCommands(unit, words, way);
      return words.commands;
    });
    return { taken: units.length, bytes: 0, answer: this.#rounds(commands) };
  }

  async refresh(): Promise<void> {
    const node = this.#cluster?.nodes('master')[0];
    if (!node) throw unavailable('No node of the cluster is known', this.#where);
    try {
      const probe = (await node.call(...(PROBE_JSON as [string, ...string[]]))) as Reply;
      this.facts = { ...this.facts, ...readJsonProbe(probe) };
      this.facts = { ...this.facts, ...infoFacts(readInfo(await node.info())) };
    } catch (error) {
      // A user may write without being allowed to ask.
      if (!messageOf(error).startsWith('NOPERM')) throw this.#explain(error);
    }
  }

  lacks(what: 'json' | 'jsonMerge'): void {
    this.facts = { ...this.facts, [what]: false };
  }

  drop(): void {
    // A demoted master answers MOVED in a cluster, and the client follows.
  }

  close(): void {
    this.#cluster?.disconnect();
  }

  #ready(cluster: Cluster): Promise<void> {
    return new Promise((resolve, reject) => {
      let last: unknown = new Error(`no answer within ${this.#options.connectTimeoutMs} ms`);
      const timer = setTimeout(() => reject(this.#explain(last)), this.#options.connectTimeoutMs);
      const settle = (act: () => void) => {
        clearTimeout(timer);
        act();
      };
      cluster.on('node error', (error) => {
        last = error;
      });
      cluster.once('error', (error) => {
        const inner = (error as { lastNodeError?: unknown }).lastNodeError;
        settle(() => reject(this.#explain(inner ?? error)));
      });
      cluster.once('ready', () => settle(resolve));
      cluster.connect().catch((error) => settle(() => reject(this.#explain(last ?? error))));
    });
  }

  async #rounds(units: readonly string[][][]): Promise<PipelineAnswer> {
    const answers: (string | null | undefined)[] = units.map(() => null);
    for (let round = 0; ; round++) {
      const calls: Promise<void>[] = [];
      units.forEach((commands, index) => {
        const command = commands[round];
        if (command === undefined || answers[index] !== null) return;
        calls.push(
          this.#call(command).then((answer) => {
            answers[index] = answer;
          }),
        );
      });
      if (calls.length === 0) break;
      await Promise.all(calls);
    }
    return { answers, replicas: this.#options.wait.enabled ? await this.#replicas() : null };
  }

  /** Null when accepted, the text of an error reply, undefined when nobody knows. */
  async #call(command: readonly string[]): Promise<string | null | undefined> {
    try {
      await this.#cluster!.call(command[0]!, ...command.slice(1));
      return null;
    } catch (error) {
      const text = messageOf(error);
      return (error as Error).name === 'ReplyError' ? text : undefined;
    }
  }

  /** Fewest replicas that confirmed, over all masters: each connection knows only its own writes. */
  async #replicas(): Promise<number> {
    const { timeoutMs } = this.#options.wait;
    const counts = this.#cluster!.nodes('master').map((node) => node.wait(1, timeoutMs).catch(() => 0));
    return Math.min(...(await Promise.all(counts)));
  }

  #explain(error: unknown): TargetError {
    const said = describeReply(messageOf(error));
    if (judge(messageOf(error)) === 'login') return loginRefused(said, this.#where);
    return unavailable(`The cluster cannot be reached: ${said}`, this.#where, error);
  }
}
