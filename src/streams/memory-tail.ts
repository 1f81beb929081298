import type { BlockPool } from './block-pool.ts';
import { type Block, recordLength } from './record-format.ts';

/**
 * The newest positions of the journal in memory: blocks, oldest first, contiguous up to the last append. Holds what is not
 * durable yet, and of the rest what the engine has not read, up to a limit.
 */
export class MemoryTail {
  readonly #pool: BlockPool;
  readonly #limitBytes: number;
  readonly #blocks: Block[] = [];
  #readPosition: number;

  constructor(pool: BlockPool, limitBytes: number, readPosition: number) {
    this.#pool = pool;
    this.#limitBytes = limitBytes;
    this.#readPosition = readPosition;
  }

  get bytes(): number {
    return this.#blocks.reduce((sum, block) => sum + block.used, 0);
  }

  /** The last block, or a new one that begins at `position`, with room for `length` bytes. */
  room(position: number, length: number): Block {
    const last = this.#blocks[this.#blocks.length - 1];
    if (last !== undefined && last.used + length <= last.buffer.length) return last;
    const block = this.#pool.take(position, length);
    this.#blocks.push(block);
    return block;
  }

  /** The block that holds `position`, or null: then it is on disk. */
  blockAt(position: number): Block | null {
    for (const block of this.#blocks) {
      if (position < block.base) return null;
      if (position < block.base + block.used) return block;
    }
    return null;
  }

  /** The bytes of `[from, to)`, in order, not copied. */
  buffers(from: number, to: number): Buffer[] {
    const buffers: Buffer[] = [];
    for (const block of this.#blocks) {
      const start = Math.max(from, block.base);
      const end = Math.min(to, block.base + block.used);
      if (start < end) buffers.push(block.buffer.subarray(start - block.base, end - block.base));
    }
    return buffers;
  }

  /** Forgets everything from `position` on, after a last look at each record. */
  cut(position: number, look: (block: Block, offset: number) => void): void {
    for (const block of this.#blocks) {
      for (let offset = Math.max(0, position - block.base); offset < block.used; ) {
        look(block, offset);
        offset += recordLength(block, offset, block.used);
      }
    }
    while ((this.#blocks[this.#blocks.length - 1]?.base ?? -1) >= position) this.#blocks.pop();
    const last = this.#blocks[this.#blocks.length - 1];
    if (last) last.used = position - last.base;
  }

  /** The engine has read everything before `position`. */
  read(position: number): void {
    this.#readPosition = position;
  }

  /** Lets blocks go that are durable, and either read or more than the limit. */
  release(durable: number): void {
    let bytes = 0;
    for (const block of this.#blocks) bytes += block.buffer.length;
    while (this.#blocks.length > 1) {
      const first = this.#blocks[0] as Block;
      const end = first.base + first.used;
      const isRead = end <= this.#readPosition;
      if (end > durable || !(isRead || bytes > this.#limitBytes)) return;
      bytes -= first.buffer.length;
      this.#blocks.shift();
      if (first.base >= this.#readPosition) this.#pool.giveBack(first);
      else this.#pool.retire(first);
    }
  }
}
