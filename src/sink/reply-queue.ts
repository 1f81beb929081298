import { OOM } from './resp-text.ts';

/** What a flush may let go: everything appended before `durable`, every state change up to `synced`. */
export interface Progress {
  readonly durable: number;
  readonly synced: number;
}

interface PendingReply {
  text: string;
  /** The entry at this position must be durable first; -1 when the reply waits for no entry. */
  position: number;
  /** The state store must be synced up to this change first; 0 for none. */
  change: number;
  /** Number of `XADD` replies in `text`; they turn into OOM when their entries are taken back. */
  appends: number;
  /** Pieces of a long reply, read when its turn has come. */
  pieces: AsyncIterable<string> | null;
}

/**
 * Replies of one connection in the order of its commands, each waiting for what it promises. Entries that arrive in one
 * turn of the event loop become durable together, so their replies share one element.
 */
export class ReplyQueue {
  #pending: PendingReply[] = [];
  #joinable = false;

  get isEmpty(): boolean {
    return this.#pending.length === 0;
  }

  /** The next entries belong to another group commit than the ones before. */
  startTurn(): void {
    this.#joinable = false;
  }

  pushReady(text: string): void {
    const last = this.#pending[this.#pending.length - 1];
    this.#joinable = false;
    if (last && last.position < 0 && last.change === 0 && last.pieces === null) last.text += text;
    else this.#push(text, -1, 0, 0, null);
  }

  pushAppend(text: string, position: number): void {
    const last = this.#pending[this.#pending.length - 1];
    if (this.#joinable && last) {
      last.text += text;
      last.position = position;
      last.appends++;
      return;
    }
    this.#push(text, position, 0, 1, null);
    this.#joinable = true;
  }

  /** A reply that may leave when all entries appended so far, and the state change, are durable. */
  pushAfterChange(text: string, position: number, change: number): void {
    this.#joinable = false;
    this.#push(text, position, change, 0, null);
  }

  pushPieces(pieces: AsyncIterable<string>): void {
    this.#joinable = false;
    this.#push('', -1, 0, 0, pieces);
  }

  /**
   * Takes everything off the front that may leave now. `pieces` is set when a long reply has come to the front: the
   * caller sends it and calls again.
   */
  take({ durable, synced }: Progress): { text: string; pieces: AsyncIterable<string> | null } {
    let text = '';
    let taken = 0;
    let pieces: AsyncIterable<string> | null = null;
    for (const reply of this.#pending) {
      if (reply.position >= durable || reply.change > synced) break;
      taken++;
      if (reply.pieces) {
        pieces = reply.pieces;
        break;
      }
      text += reply.text;
    }
    if (taken > 0) {
      this.#pending = taken === this.#pending.length ? [] : this.#pending.slice(taken);
      this.#joinable = false;
    }
    return { text, pieces };
  }

  /** Takes a single durable `XADD` reply, or what stands before the first one: feeders are slowed down that way. */
  takeOne(progress: Progress): { text: string; pieces: AsyncIterable<string> | null } {
    const first = this.#pending[0];
    if (!first || first.appends <= 1) {
      if (!first || first.position >= progress.durable || first.change > progress.synced)
        return { text: '', pieces: null };
      this.#pending.shift();
      this.#joinable = false;
      return { text: first.text, pieces: first.pieces };
    }
    if (first.position >= progress.durable) return { text: '', pieces: null };
    // An XADD reply is `$n\r\nid\r\n`: it ends with the second line.
    const end = first.text.indexOf('\r\n', first.text.indexOf('\r\n') + 2) + 2;
    const text = first.text.slice(0, end);
    first.text = first.text.slice(end);
    first.appends--;
    this.#joinable = false;
    return { text, pieces: null };
  }

  /** Entries from `position` on were taken back: their replies become OOM. Returns whether there were any. */
  takeBack(position: number): boolean {
    let found = false;
    for (const reply of this.#pending) {
      if (reply.position < position) continue;
      if (reply.appends > 0) {
        reply.text = OOM.repeat(reply.appends);
        found = true;
      }
      // A state change waits no longer for entries that were never acknowledged.
      reply.position = -1;
    }
    this.#joinable = false;
    return found;
  }

  #push(text: string, position: number, change: number, appends: number, pieces: AsyncIterable<string> | null): void {
    this.#pending.push({ text, position, change, appends, pieces });
  }
}
