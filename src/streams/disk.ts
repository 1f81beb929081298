import fs from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';

/**
 * The few file operations that the journal needs. Tests put a disk in its place that forgets, tears and refuses.
 * `write` and `datasync` reject on any error; a write may then be there in part.
 */
export interface Disk {
  /** Names, sizes in bytes, and when they were written last (ms since the epoch), in no order. */
  list(): { name: string; size: number; modifiedMs?: number }[];
  open(name: string, mode: 'create' | 'existing'): DiskFile;
  /** Deletes the file; one that is not there is no error. */
  remove(name: string): void;
  /** Makes creation and removal of files durable. */
  syncDirectory(): Promise<void>;
  pathOf(name: string): string;
}

export interface DiskFile {
  write(buffers: Buffer[], position: number): Promise<void>;
  datasync(): Promise<void>;
  /** Reads up to `length` bytes; returns how many there were. */
  read(buffer: Buffer, offset: number, length: number, position: number): Promise<number>;
  truncate(size: number): void;
  close(): void;
}

const writev = promisify(fs.writev);
const fdatasync = promisify(fs.fdatasync);
const fsync = promisify(fs.fsync);
const read = promisify(fs.read);

class LocalFile implements DiskFile {
  readonly #fd: number;
  #reads = 0;
  #isClosing = false;

  constructor(fd: number) {
    this.#fd = fd;
  }

  async write(buffers: Buffer[], position: number): Promise<void> {
    let pending = buffers;
    let at = position;
    let left = buffers.reduce((sum, buffer) => sum + buffer.length, 0);
    while (left > 0) {
      const { bytesWritten } = await writev(this.#fd, pending, at);
      // A disk that becomes full writes a part first and fails with the next call.
      left -= bytesWritten;
      at += bytesWritten;
      if (left > 0) pending = [Buffer.concat(pending).subarray(bytesWritten)];
    }
  }

  datasync(): Promise<void> {
    return fdatasync(this.#fd);
  }

  async read(buffer: Buffer, offset: number, length: number, position: number): Promise<number> {
    this.#reads++;
    try {
      let done = 0;
      while (done < length) {
        const { bytesRead } = await read(this.#fd, buffer, offset + done, length - done, position + done);
        if (bytesRead === 0) break;
        done += bytesRead;
      }
      return done;
    } finally {
      this.#reads--;
      if (this.#isClosing && this.#reads === 0) fs.closeSync(this.#fd);
    }
  }

  truncate(size: number): void {
    fs.ftruncateSync(this.#fd, size);
  }

  close(): void {
    if (this.#isClosing) return;
    this.#isClosing = true;
    // A segment may be trimmed while somebody looks at it; its number must not be given to another file meanwhile.
    if (this.#reads === 0) fs.closeSync(this.#fd);
  }
}

/** A folder of the local file system; made when it is not there. */
export function localDisk(folder: string): Disk {
  fs.mkdirSync(folder, { recursive: true });
  return {
    list: () =>
      fs.readdirSync(folder).map((name) => {
        const { size, mtimeMs } = fs.statSync(path.join(folder, name));
        return { name, size, modifiedMs: mtimeMs };
      }),
    open: (name, mode) => new LocalFile(fs.openSync(path.join(folder, name), mode === 'create' ? 'w+' : 'r+', 0o600)),
    remove: (name) => fs.rmSync(path.join(folder, name), { force: true }),
    async syncDirectory() {
      const fd = fs.openSync(folder, 'r');
      try {
        await fsync(fd);
      } finally {
        fs.closeSync(fd);
      }
    },
    pathOf: (name) => path.join(folder, name),
  };
}
