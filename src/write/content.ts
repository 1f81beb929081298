import type { CommandSink } from './encode.ts';
import type { JsonMergeWay } from './json.ts';
import { Members } from './members.ts';
import { NestSteps } from './nest.ts';
import { RemovedFields } from './remove-fields.ts';
import { StreamEntries } from './stream.ts';
import { StringValue } from './string.ts';
import type { DeleteWrite, HashWrite, JsonWrite, TargetWrite } from './types.ts';

/**
 * What taking over a further write did: nothing; made the earlier ones needless or part of the new state; or put it beside
 * the earlier ones, which are carried out all the same.
 */
export type Folding = 'no' | 'replaced' | 'combined';

/** Kinds of writes apart from the rows and deletes that {@link Unit} holds by itself. */
export type ContentKind = Exclude<TargetWrite['kind'], 'hash' | 'json' | 'delete'>;

/** What one or more consecutive writes of one kind do to their key. */
export interface Content {
  readonly kind: ContentKind;
  readonly needsJson: boolean;
  /** Name of the command that a refusal is about. */
  readonly command: string;
  /**
   * Takes over a write of the same kind. `inheritsExpiry`: the time to live of an earlier write is still to be set and the new
   * write brings none, so the two in a row would lose it if the key ceased to exist between them.
   */
  fold(write: TargetWrite, inheritsExpiry: boolean): Folding;
  /** Hands the commands to `sink` and says how many there are. */
  emit(key: string, sink: CommandSink, way: JsonMergeWay): number;
}

/** The content of a first write. */
export function contentOf(write: Exclude<TargetWrite, HashWrite | JsonWrite | DeleteWrite>): Content {
  switch (write.kind) {
    case 'set':
    case 'sorted_set':
      return new Members(write);
    case 'stream':
      return new StreamEntries(write);
    case 'string':
      return new StringValue(write);
    case 'nest':
      return new NestSteps(write);
    case 'remove_fields':
      return new RemovedFields(write);
    default:
      return write satisfies never;
  }
}
