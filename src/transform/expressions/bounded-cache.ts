const MOST = 100;

/** Keeps what was made of the last texts, for arguments that records choose: there may be any number of different ones. */
export class BoundedCache<T> {
  readonly #make: (text: string) => T;
  readonly #made = new Map<string, T>();

  constructor(make: (text: string) => T) {
    this.#make = make;
  }

  /** Throws what making throws, and keeps nothing then. */
  get(text: string): T {
    const known = this.#made.get(text);
    if (known !== undefined) return known;
    const made = this.#make(text);
    if (this.#made.size === MOST) this.#made.clear();
    this.#made.set(text, made);
    return made;
  }
}
