import type { Content, Folding } from './content.ts';
import { type CommandSink, emitWords } from './encode.ts';
import { emitRemovals } from './nest.ts';
import type { RemoveFieldsWrite } from './types.ts';

/** Fields of a hash, or members of a document, that go; the rest of the key stays. */
export class RemovedFields implements Content {
  readonly kind = 'remove_fields';
  readonly #type: 'hash' | 'json';
  readonly #paths: (readonly string[])[];

  constructor(write: RemoveFieldsWrite) {
    this.#type = write.type;
    this.#paths = [...write.paths];
  }

  get needsJson(): boolean {
    return this.#type === 'json';
  }

  get command(): string {
    return this.#type === 'json' ? 'JSON.DEL' : 'HDEL';
  }

  fold(write: RemoveFieldsWrite): Folding {
    if (write.type !== this.#type) return 'no';
    this.#paths.push(...write.paths);
    return 'combined';
  }

  emit(key: string, sink: CommandSink): number {
    if (this.#type === 'json') return emitRemovals(key, this.#paths, sink);
    return emitWords(sink, ['HDEL', key, ...this.#paths.map(([field]) => field!)]);
  }
}
