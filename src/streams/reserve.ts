import fs from 'node:fs';
import path from 'node:path';
import { StoreError } from '../errors.ts';

const RESERVE_BYTES = 4 << 20;
const BLOCK = Buffer.alloc(1 << 16);

/**
 * Room on the disk that is given up when the disk is full, so that starting and settling, which free segments, can still
 * be written down.
 */
export class Reserve {
  readonly #file: string;

  constructor(folder: string) {
    this.#file = path.join(folder, 'reserve');
  }

  /** Takes what is missing, as far as the disk has it. Never throws. */
  fill(): void {
    let fd: number | undefined;
    try {
      fd = fs.openSync(this.#file, 'a', 0o600);
      let size = fs.fstatSync(fd).size;
      while (size < RESERVE_BYTES) size += fs.writeSync(fd, BLOCK, 0, Math.min(BLOCK.length, RESERVE_BYTES - size));
    } catch {
      // The disk is full: what there is has to do.
    } finally {
      if (fd !== undefined) fs.closeSync(fd);
    }
  }

  giveUp(): void {
    fs.rmSync(this.#file, { force: true });
  }

  /** Runs `change`; when that throws `STORE_FULL`, a second time with the room of the reserve. */
  use<T>(change: () => T): T {
    try {
      return change();
    } catch (error) {
      if (!(error instanceof StoreError && error.code === 'STORE_FULL')) throw error;
      this.giveUp();
      try {
        return change();
      } finally {
        // What is left would be the journal's otherwise, and the next change found no room.
        this.fill();
      }
    }
  }
}
