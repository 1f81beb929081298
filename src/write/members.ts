import type { Content, Folding } from './content.ts';
import type { CommandSink } from './encode.ts';
import type { SetWrite, SortedSetWrite } from './types.ts';

type MemberWrite = SetWrite | SortedSetWrite;

/** Writes in one unit, so that no command grows beyond some hundreds of words. */
const MAX_WRITES = 500;

/**
 * Consecutive writes that may be carried out in three commands: what leaves first, what is there in the end, what is not.
 *
 * A set that runs empty ends, and its time to live with it. So the order of the commands must not make it run empty where the
 * writes do not, nor the other way round: with the first member that comes it holds something, and the phase ends before the
 * last of those that came would leave again.
 */
class Phase {
  /** Members that leave before the first one comes. */
  readonly leaving = new Set<string>();
  /** The last word on each member from then on: its score, empty for sets, or null for "not there". */
  readonly words = new Map<string, string | null>();
  /** How many of the words are not null. */
  present = 0;

  /** False when the word belongs into the next phase. */
  add(member: string, word: string | null): boolean {
    const before = this.words.get(member);
    const isThere = before !== undefined && before !== null;
    if (word === null) {
      if (this.words.size === 0) {
        this.leaving.add(member);
        return true;
      }
      if (isThere && this.present === 1) return false;
    }
    this.present += Number(word !== null) - Number(isThere);
    this.words.set(member, word);
    return true;
  }
}

/** Members of a set or sorted set that come and go. */
export class Members implements Content {
  readonly kind: MemberWrite['kind'];
  readonly needsJson = false;
  readonly #phases = [new Phase()];
  readonly #beginsWithRemoval: boolean;
  #writes = 1;

  constructor(write: MemberWrite) {
    this.kind = write.kind;
    const word = wordOf(write);
    this.#beginsWithRemoval = word === null;
    this.#phases[0]!.add(write.member, word);
  }

  get command(): string {
    return this.kind === 'set' ? 'SADD' : 'ZADD';
  }

  fold(write: MemberWrite, inheritsExpiry: boolean): Folding {
    if (this.#writes >= MAX_WRITES) return 'no';
    if (inheritsExpiry && (this.#beginsWithRemoval || this.#phases.length > 1)) return 'no';
    const word = wordOf(write);
    if (!this.#phases.at(-1)!.add(write.member, word)) {
      if (inheritsExpiry) return 'no';
      const next = new Phase();
      next.add(write.member, word);
      this.#phases.push(next);
    }
    this.#writes++;
    return 'combined';
  }

  emit(key: string, sink: CommandSink): number {
    let count = 0;
    for (const { leaving, words, present } of this.#phases) {
      count += this.#emitRemoval(key, [...leaving], sink);
      if (present > 0) count += this.#emitAddition(key, words, present, sink);
      const gone: string[] = [];
      for (const [member, word] of words) if (word === null) gone.push(member);
      count += this.#emitRemoval(key, gone, sink);
    }
    return count;
  }

  #emitAddition(key: string, words: ReadonlyMap<string, string | null>, present: number, sink: CommandSink): number {
    const hasScores = this.kind === 'sorted_set';
    sink.begin(2 + present * (hasScores ? 2 : 1));
    sink.text(hasScores ? 'ZADD' : 'SADD');
    sink.text(key);
    for (const [member, word] of words) {
      if (word === null) continue;
      if (hasScores) sink.text(word);
      sink.text(member);
    }
    return 1;
  }

  #emitRemoval(key: string, members: readonly string[], sink: CommandSink): number {
    if (members.length === 0) return 0;
    sink.begin(2 + members.length);
    sink.text(this.kind === 'set' ? 'SREM' : 'ZREM');
    sink.text(key);
    for (const member of members) sink.text(member);
    return 1;
  }
}

function wordOf(write: MemberWrite): string | null {
  if (write.kind === 'sorted_set') return write.score;
  return write.isMember ? '' : null;
}
