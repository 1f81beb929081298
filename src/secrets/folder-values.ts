import { type FolderContent, readFolder } from './folder.ts';

const EMPTY: FolderContent = { values: new Map(), paths: new Map(), tooOpen: [], problems: [] };
const LISTED = 5;

/** The folder of secrets, as it was read last. */
export class FolderValues {
  readonly #folder: string | undefined;
  readonly #onNotice: (message: string) => void;
  #content = EMPTY;
  /** What was told already; it is not told again every two seconds. */
  #told = new Set<string>();

  constructor(folder: string | undefined, onNotice: (message: string) => void) {
    this.#folder = folder;
    this.#onNotice = onNotice;
  }

  /** Reads it again; whether a value differs from the last time. */
  look(): boolean {
    if (this.#folder === undefined) return false;
    const before = this.#content;
    this.#content = readFolder(this.#folder);
    return !isSame(before.values, this.#content.values) || !isSame(before.paths, this.#content.paths);
  }

  /** Tells what is wrong with the files, each thing once until it is gone. */
  tell(): void {
    const { problems, tooOpen } = this.#content;
    const messages = [...problems, ...(tooOpen.length === 0 ? [] : [tooOpenMessage(tooOpen)])];
    for (const message of messages) if (!this.#told.has(message)) this.#onNotice(message);
    this.#told = new Set(messages);
  }

  get values(): ReadonlyMap<string, string> {
    return this.#content.values;
  }

  /** Absolute paths of certificates and keys, by name. */
  get paths(): ReadonlyMap<string, string> {
    return this.#content.paths;
  }

  /** Why nothing of the folder is there, when it cannot be read. */
  get failure(): string | undefined {
    const { problems, values } = this.#content;
    return values.size === 0 ? problems[0]?.replace(/\.$/, '') : undefined;
  }
}

function tooOpenMessage(files: readonly string[]): string {
  const more = files.length > LISTED ? ` and ${files.length - LISTED} more` : '';
  const listed = `${files.slice(0, LISTED).join(', ')}${more}`;
  return `Others than their owner may read secret files: ${listed}. Take the permission away (chmod 600; in Kubernetes defaultMode: 0400).`;
}

function isSame(a: ReadonlyMap<string, string>, b: ReadonlyMap<string, string>): boolean {
  return a.size === b.size && [...a].every(([name, value]) => b.get(name) === value);
}
