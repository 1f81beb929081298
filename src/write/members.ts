import type { Content, Folding } from './content.ts';
import type { CommandSink } from './encode.ts';
import type { SetWrite, SortedSetWrite } from './types.ts';

/** Members in one unit, so that no command grows beyond some hundreds of words. */
const MAX_MEMBERS = 500;

/** What a write says of a member: in or out of the set, its score or null. */
type Word = boolean | string | null;

/**
 * The last word on each member of one set or sorted set: one command for all that go and one for all that come.
 *
 * Which of the two comes first matters where a set runs empty, because its time to live goes with it; so the kind of the
 * first write does.
 */
abstract class Members<Write extends SetWrite | SortedSetWrite> {
  readonly needsJson = false;
  readonly #words = new Map<string, Word>();
  readonly #beginsWithRemoval: boolean;
  #hasRemoval = false;

  constructor(write: Write) {
    this.#add(write);
    this.#beginsWithRemoval = this.#hasRemoval;
  }

  fold(write: Write, inheritsExpiry: boolean): Folding {
    if (this.#words.size >= MAX_MEMBERS) return 'no';
    if (inheritsExpiry && (this.#hasRemoval || isRemoval(this.word(write)))) return 'no';
    this.#add(write);
    return 'combined';
  }

  emit(key: string, sink: CommandSink): number {
    const removals: string[] = [];
    for (const [member, word] of this.#words) if (isRemoval(word)) removals.push(member);
    const additions = this.#words.size - removals.length;
    if (this.#beginsWithRemoval) this.#emitRemovals(key, sink, removals);
    if (additions > 0) this.emitAdditions(key, sink, this.#words, additions);
    if (!this.#beginsWithRemoval) this.#emitRemovals(key, sink, removals);
    return (additions > 0 ? 1 : 0) + (removals.length > 0 ? 1 : 0);
  }

  protected abstract readonly removal: string;
  protected abstract word(write: Write): Word;
  protected abstract emitAdditions(
    key: string,
    sink: CommandSink,
    words: ReadonlyMap<string, Word>,
    count: number,
  ): void;

  #add(write: Write): void {
    const word = this.word(write);
    this.#words.set(write.member, word);
    if (isRemoval(word)) this.#hasRemoval = true;
  }

  #emitRemovals(key: string, sink: CommandSink, members: readonly string[]): void {
    if (members.length === 0) return;
    sink.begin(2 + members.length);
    sink.text(this.removal);
    sink.text(key);
    for (const member of members) sink.text(member);
  }
}

/** Members of a set that come and go. */
export class SetMembers extends Members<SetWrite> implements Content {
  readonly kind = 'set';
  readonly command = 'SADD';

  protected override get removal(): string {
    return 'SREM';
  }

  protected override word(write: SetWrite): Word {
    return write.isMember;
  }

  protected override emitAdditions(
    key: string,
    sink: CommandSink,
    words: ReadonlyMap<string, Word>,
    count: number,
  ): void {
    sink.begin(2 + count);
    sink.text('SADD');
    sink.text(key);
    for (const [member, word] of words) if (!isRemoval(word)) sink.text(member);
  }
}

/** Members of a sorted set that get a score or go. */
export class MemberScores extends Members<SortedSetWrite> implements Content {
  readonly kind = 'sorted_set';
  readonly command = 'ZADD';

  protected override get removal(): string {
    return 'ZREM';
  }

  protected override word(write: SortedSetWrite): Word {
    return write.score;
  }

  protected override emitAdditions(
    key: string,
    sink: CommandSink,
    words: ReadonlyMap<string, Word>,
    count: number,
  ): void {
    sink.begin(2 + count * 2);
    sink.text('ZADD');
    sink.text(key);
    for (const [member, word] of words) {
      if (isRemoval(word)) continue;
      sink.text(word as string);
      sink.text(member);
    }
  }
}

function isRemoval(word: Word): boolean {
  return word === null || word === false;
}
