import type { Content, Folding } from './content.ts';
import type { CommandSink, Writable } from './encode.ts';
import type { StringWrite } from './types.ts';

/** The text of a string key; the last one wins. */
export class StringValue implements Content {
  readonly kind = 'string';
  readonly needsJson = false;
  readonly command = 'SET';
  #value: Writable;

  constructor(write: StringWrite) {
    this.#value = write.value;
  }

  fold(write: StringWrite): Folding {
    this.#value = write.value;
    return 'replaced';
  }

  emit(key: string, sink: CommandSink): number {
    sink.begin(3);
    sink.text('SET');
    sink.text(key);
    sink.value(this.#value);
    return 1;
  }
}
