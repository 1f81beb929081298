import { type FSWatcher, readFileSync, statSync, watch } from 'node:fs';

const POLL_MS = 2000;
/** A file that is being written is read again until two readings are the same. */
const SETTLE_MS = 100;

export interface FileWatchOptions {
  /** Folders in which something may change. */
  readonly folders: () => readonly string[];
  /** Reads what is watched again; whether it differs from the last time. */
  readonly look: () => boolean;
  /** Something has changed, and has settled. */
  readonly onChange: () => void;
}

/**
 * Sees changes of files: at once where the system tells of them, and by looking every two seconds where it does not (network
 * file systems, folders that are swapped whole, as Kubernetes does).
 */
export class FileWatch {
  readonly #options: FileWatchOptions;
  readonly #watchers = new Map<string, FSWatcher>();
  readonly #poll: NodeJS.Timeout;
  #soon: NodeJS.Timeout | undefined;
  #isUnsettled = false;

  constructor(options: FileWatchOptions) {
    this.#options = options;
    this.#poll = setInterval(() => this.#look(), POLL_MS).unref();
    this.rewatch();
  }

  /** To be called when {@link FileWatchOptions.folders} names others. */
  rewatch(): void {
    const folders = new Set(this.#options.folders());
    for (const [folder, watcher] of this.#watchers) {
      if (folders.has(folder)) continue;
      watcher.close();
      this.#watchers.delete(folder);
    }
    for (const folder of folders) if (!this.#watchers.has(folder)) this.#watch(folder);
  }

  close(): void {
    clearInterval(this.#poll);
    clearTimeout(this.#soon);
    for (const watcher of this.#watchers.values()) watcher.close();
    this.#watchers.clear();
  }

  #watch(folder: string): void {
    try {
      const watcher = watch(folder, { persistent: false }, () => this.#lookSoon());
      watcher.on('error', () => {
        watcher.close();
        this.#watchers.delete(folder);
      });
      this.#watchers.set(folder, watcher);
    } catch {
      // The folder is not there, or the system has no watches left: looking every two seconds is enough.
    }
  }

  #lookSoon(): void {
    clearTimeout(this.#soon);
    this.#soon = setTimeout(() => this.#look(), SETTLE_MS).unref();
  }

  #look(): void {
    if (this.#options.look()) {
      this.#isUnsettled = true;
      this.#lookSoon();
    } else if (this.#isUnsettled) {
      this.#isUnsettled = false;
      this.#options.onChange();
    }
    this.rewatch();
  }
}

/** The content of some files at one moment; read only where the file system says that it may have changed. */
export class FileContents {
  #known = new Map<string, { stamp: string; content: string }>();

  /** Reads files that are new or changed; whether the content of one that was known before differs. */
  look(files: readonly string[]): boolean {
    const next = new Map<string, { stamp: string; content: string }>();
    let isChanged = false;
    for (const file of files) {
      const known = this.#known.get(file);
      const stamp = stampOf(file);
      const content = known?.stamp === stamp ? known.content : contentOf(file);
      if (known !== undefined && known.content !== content) isChanged = true;
      next.set(file, { stamp, content });
    }
    this.#known = next;
    return isChanged;
  }
}

/** Differs when the file was written or replaced by another, also behind a symbolic link. */
function stampOf(file: string): string {
  const stats = statSync(file, { throwIfNoEntry: false, bigint: true });
  return stats === undefined ? 'none' : `${stats.dev}:${stats.ino}:${stats.size}:${stats.mtimeNs}:${stats.ctimeNs}`;
}

function contentOf(file: string): string {
  try {
    return readFileSync(file, 'latin1');
  } catch {
    return '';
  }
}
