import { type Block, createBlock } from './record-format.ts';

/** Blocks kept for the next use; more are left to the garbage collector. */
const MAX_FREE = 8;
const MAX_RETIRED = 64;

/**
 * Uses blocks again. Without it every megabyte of traffic is a megabyte of garbage outside the heap, which the collector
 * notices late: resident memory grows to several times of what is in use.
 *
 * A block whose entries the engine has read is *retired*: batches on their way still point into it. It may be used again
 * once everything before its end is settled.
 */
export class BlockPool {
  readonly #blockBytes: number;
  readonly #free: Block[] = [];
  #retired: Block[] = [];

  constructor(blockBytes: number) {
    this.#blockBytes = blockBytes;
  }

  /** An empty block for `bytes` bytes from position `base` on. Its memory holds whatever was in it before. */
  take(base: number, bytes: number): Block {
    const block = bytes <= this.#blockBytes ? this.#free.pop() : undefined;
    if (!block) return createBlock(base, Math.max(this.#blockBytes, bytes));
    block.base = base;
    block.used = 0;
    return block;
  }

  /** Nobody points into the block any more. */
  giveBack(block: Block): void {
    if (block.buffer.length === this.#blockBytes && this.#free.length < MAX_FREE) this.#free.push(block);
  }

  retire(block: Block): void {
    this.#retired.push(block);
    if (this.#retired.length > MAX_RETIRED) this.#retired.shift();
  }

  /** Every entry before `position` is settled, also those of streams that were read again. */
  settled(position: number): void {
    if (this.#retired.length === 0) return;
    const kept: Block[] = [];
    for (const block of this.#retired) {
      if (block.base + block.used <= position) this.giveBack(block);
      else kept.push(block);
    }
    this.#retired = kept;
  }
}
