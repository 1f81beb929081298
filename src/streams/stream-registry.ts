import { newStream } from './recovery.ts';
import type { Select, StoredStream } from './types.ts';

/** All streams of a store: exactly one object for each database and name. */
export class StreamRegistry {
  readonly all: StoredStream[];
  readonly #byNumber: Map<number, StoredStream>;
  readonly #byName = new Map<string, StoredStream>();
  #nextNumber: number;

  constructor(recovered: Map<number, StoredStream>) {
    this.#byNumber = recovered;
    this.all = [...recovered.values()];
    this.#nextNumber = this.all.reduce((highest, { number }) => Math.max(highest, number), 0) + 1;
    for (const stream of this.all) this.#byName.set(`${stream.db}:${stream.rawName}`, stream);
  }

  /** The stream of that name; made when it is new. */
  of(db: number, rawName: string): StoredStream {
    const key = `${db}:${rawName}`;
    let stream = this.#byName.get(key);
    if (!stream) {
      const number = this.#nextNumber++;
      stream = newStream(number, db, rawName);
      this.#byName.set(key, stream);
      this.#byNumber.set(number, stream);
      this.all.push(stream);
    }
    return stream;
  }

  find(db: number, rawName: string): StoredStream | undefined {
    return this.#byName.get(`${db}:${rawName}`);
  }

  numbered(number: number): StoredStream | undefined {
    return this.#byNumber.get(number);
  }

  /** The same choice for readers of the journal, which knows streams by their number. */
  selecting(select: Select): (number: number, position: number) => StoredStream | null {
    return (number, position) => {
      const stream = this.#byNumber.get(number);
      return stream && select(stream, position) ? stream : null;
    };
  }
}
