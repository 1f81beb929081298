import type { Disk, DiskFile } from '../../src/streams/disk.ts';
import type { Random } from './random.ts';

/** A change that the disk has been told of and that a sync has not covered yet. */
type Change =
  | { readonly kind: 'write'; readonly at: number; readonly bytes: Buffer }
  | { readonly kind: 'truncate'; readonly size: number };

type NameChange = { readonly name: string; readonly inode: Inode | null };

/** Content of a file: what readers see now, and what a power loss leaves for sure. */
class Inode {
  seen: Buffer = Buffer.alloc(0);
  safe: Buffer = Buffer.alloc(0);
  /** Not synced yet, oldest first. */
  waiting: Change[] = [];
  /** A failed sync dropped these from the cache as if they were written: only chance brings them to the disk. */
  forgotten: Change[] = [];
}

export type Operation = 'create' | 'open' | 'write' | 'sync' | 'directory' | 'remove' | 'truncate';

const SECTOR = 512;

/**
 * A disk in memory for the journal. It remembers what was synced; a power loss keeps an arbitrary part of the rest,
 * torn at sectors or bytes, in any order. `failures` is the chance that an operation is refused with ENOSPC or EIO; a
 * refused write may be there in part.
 */
export class FaultyDisk implements Disk {
  failures = 0;
  /** Syncs of data end only behind this. */
  holdSync: Promise<void> | null = null;
  /** Operations that are refused for sure. */
  refuses: (operation: Operation) => boolean = () => false;
  /** Operations of a process that is dead never end. */
  isDead = false;
  syncs = 0;
  readonly #random: Random;
  #seen = new Map<string, Inode>();
  #safe = new Map<string, Inode>();
  #nameChanges: NameChange[] = [];

  constructor(random: Random) {
    this.#random = random;
  }

  list(): { name: string; size: number }[] {
    return [...this.#seen].map(([name, { seen }]) => ({ name, size: seen.length }));
  }

  open(name: string, mode: 'create' | 'existing'): DiskFile {
    this.#maybeFail(mode === 'create' ? 'create' : 'open');
    let inode = this.#seen.get(name);
    if (mode === 'existing' && !inode) throw failure('ENOENT');
    if (!inode) {
      inode = new Inode();
      this.#seen.set(name, inode);
      this.#nameChanges.push({ name, inode });
    } else if (mode === 'create') this.#truncate(inode, 0);
    return this.#file(inode);
  }

  remove(name: string): void {
    this.#maybeFail('remove');
    if (this.#seen.delete(name)) this.#nameChanges.push({ name, inode: null });
  }

  async syncDirectory(): Promise<void> {
    await this.#take();
    this.#maybeFail('directory');
    for (const { name, inode } of this.#nameChanges.splice(0)) setOrDelete(this.#safe, name, inode);
  }

  pathOf(name: string): string {
    return name === '.' ? '/disk/journal' : `/disk/journal/${name}`;
  }

  /** The process is killed: what it told the kernel stays. Returns the disk as the next process finds it. */
  afterKill(): FaultyDisk {
    this.isDead = true;
    const next = new FaultyDisk(this.#random);
    next.#seen = this.#seen;
    next.#safe = this.#safe;
    next.#nameChanges = this.#nameChanges;
    return next;
  }

  /** The power fails: only what was synced stays for sure. */
  afterPowerLoss(): FaultyDisk {
    this.isDead = true;
    const random = this.#random;
    const next = new FaultyDisk(random);
    const names = new Map(this.#safe);
    for (const { name, inode } of this.#nameChanges) if (random.chance(0.5)) setOrDelete(names, name, inode);
    for (const [name, inode] of names) {
      const left = new Inode();
      left.safe = this.#torn(inode);
      left.seen = left.safe;
      next.#seen.set(name, left);
      next.#safe.set(name, left);
    }
    return next;
  }

  /** The bytes of a file, for tests that damage them. */
  bytes(name: string): Buffer {
    return this.#seen.get(name)!.seen;
  }

  replace(name: string, bytes: Buffer): void {
    const inode = this.#seen.get(name) ?? new Inode();
    inode.seen = bytes;
    inode.safe = bytes;
    inode.waiting = [];
    this.#seen.set(name, inode);
    this.#safe.set(name, inode);
  }

  #file(inode: Inode): DiskFile {
    return {
      write: async (buffers, position) => {
        if (this.isDead) await new Promise<never>(() => {});
        const bytes = Buffer.concat(buffers);
        const fails = this.#fails('write');
        const done = fails ? this.#random.below(bytes.length + 1) : bytes.length;
        const half = this.#random.below(done + 1);
        // In two steps, so that a crash can come between.
        this.#write(inode, position, bytes.subarray(0, half));
        await this.#take();
        this.#write(inode, position + half, bytes.subarray(half, done));
        if (fails) throw fails;
      },
      datasync: async () => {
        const covered = inode.waiting.length;
        await this.#take();
        await this.holdSync;
        const fails = this.#fails('sync');
        if (fails) {
          inode.forgotten.push(...inode.waiting.splice(0));
          throw fails;
        }
        for (const change of inode.waiting.splice(0, covered)) inode.safe = applied(inode.safe, change);
        this.syncs++;
      },
      read: async (buffer, offset, length, position) => {
        await this.#take();
        return inode.seen.copy(buffer, offset, position, Math.min(inode.seen.length, position + length));
      },
      truncate: (size) => {
        this.#maybeFail('truncate');
        this.#truncate(inode, size);
      },
      close: () => {},
    };
  }

  #write(inode: Inode, at: number, bytes: Buffer): void {
    const change = { kind: 'write', at, bytes: Buffer.from(bytes) } as const;
    inode.seen = applied(inode.seen, change);
    inode.waiting.push(change);
  }

  #truncate(inode: Inode, size: number): void {
    const change = { kind: 'truncate', size } as const;
    inode.seen = applied(inode.seen, change);
    inode.waiting.push(change);
  }

  #torn(inode: Inode): Buffer {
    const random = this.#random;
    let bytes: Buffer = Buffer.from(inode.safe);
    const unit = random.chance(0.5) ? SECTOR : 1 + random.below(4096);
    for (const change of [...inode.forgotten, ...inode.waiting]) {
      if (change.kind === 'truncate') {
        if (random.chance(0.5)) bytes = applied(bytes, change);
        continue;
      }
      const keeps = random.pick(['all', 'none', 'some', 'some']);
      for (let from = 0; from < change.bytes.length; from += unit) {
        if (keeps === 'none' || (keeps === 'some' && random.chance(0.5))) continue;
        const part = change.bytes.subarray(from, from + unit);
        bytes = applied(bytes, { kind: 'write', at: change.at + from, bytes: part });
      }
    }
    return bytes;
  }

  #fails(operation: Operation): Error | null {
    const fails = this.refuses(operation) || (this.failures > 0 && this.#random.chance(this.failures));
    return fails ? failure(this.#random.pick(['ENOSPC', 'EIO'])) : null;
  }

  #maybeFail(operation: Operation): void {
    if (this.isDead) throw failure('EDEAD');
    const error = this.#fails(operation);
    if (error) throw error;
  }

  /** Every operation takes a turn of the event loop; a dead process waits for ever. */
  async #take(): Promise<void> {
    await new Promise<void>((resolve) => setImmediate(resolve));
    if (this.isDead) await new Promise<never>(() => {});
  }
}

function applied(bytes: Buffer, change: Change): Buffer {
  const size = change.kind === 'truncate' ? change.size : Math.max(bytes.length, change.at + change.bytes.length);
  const result = Buffer.alloc(size);
  bytes.copy(result, 0, 0, size);
  if (change.kind === 'write') change.bytes.copy(result, change.at);
  return result;
}

function setOrDelete(names: Map<string, Inode>, name: string, inode: Inode | null): void {
  if (inode) names.set(name, inode);
  else names.delete(name);
}

function failure(code: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`${code}: injected`), { code });
}
