import { InternalError } from '../../errors.ts';
import type { Clock } from '../../lib/clock.ts';
import type { KeyTemplate } from '../default-key.ts';
import type { LookupReader } from '../types.ts';
import { AddFieldStep, FilterStep, MapStep, RemoveFieldStep, RenameFieldStep, type Step } from './blocks.ts';
import type { BlockDefinition, JobDefinition, LookupDefinition } from './definition.ts';
import type { JobOutput } from './image.ts';
import { LookupStep, UnneededLookupStep } from './lookup.ts';
import { compileOutput, type NestedPaths } from './outputs/index.ts';
import { analysePlace, type Names } from './place.ts';

/** What a job needs of the pipeline to run. */
export interface JobParts {
  /** Connections that are written to, in the order of the transformer. */
  readonly connections: readonly string[];
  readonly lookups: ReadonlyMap<string, LookupReader>;
  readonly keyTemplate: KeyTemplate;
  readonly nested: NestedPaths;
  readonly clock: Clock;
  readonly onWarning: (message: string) => void;
}

/** A job, ready to run: its blocks as steps, its outputs, and what must be known to find the place of a row. */
export class Job {
  readonly definition: JobDefinition;
  readonly isFull: boolean;
  readonly filterRemoves: boolean;
  readonly program: readonly Step[];
  /** For the row before an update: without the lookups on which no place depends. */
  readonly oldProgram: readonly Step[];
  readonly outputs: readonly JobOutput[];
  /** Fields of the record on which the place of a row depends. */
  readonly placeReads: Names;

  constructor(definition: JobDefinition, parts: JobParts) {
    const { name, blocks, rowFormat, filterRemoves, outputs } = definition;
    this.definition = definition;
    this.isFull = rowFormat === 'full';
    this.filterRemoves = filterRemoves;
    this.program = blocks.map((block) => stepOf(block, parts));
    this.outputs = outputs.map((output) =>
      compileOutput(output, {
        job: name,
        rowFormat,
        connection: parts.connections.indexOf(output.connection),
        keyTemplate: parts.keyTemplate,
        nested: parts.nested,
        clock: parts.clock,
        onWarning: parts.onWarning,
      }),
    );
    const { reads, lookups } = analysePlace(
      blocks,
      this.outputs.map(({ place }) => place),
    );
    this.placeReads = reads;
    this.oldProgram = this.program.map((step, i) =>
      step instanceof LookupStep && !lookups.has(i) ? new UnneededLookupStep(blocks[i] as LookupDefinition) : step,
    );
  }

  /** Whether some row is written under its default key. */
  get usesDefaultKey(): boolean {
    return this.definition.outputs.some(({ key, nest }) => key === null && nest === null);
  }
}

function stepOf(block: BlockDefinition, { lookups, clock }: JobParts): Step {
  switch (block.uses) {
    case 'filter':
      return new FilterStep(block, clock);
    case 'map':
      return new MapStep(block, clock);
    case 'add_field':
      return new AddFieldStep(block, clock);
    case 'remove_field':
      return new RemoveFieldStep(block);
    case 'rename_field':
      return new RenameFieldStep(block);
    case 'redis.lookup': {
      const reader = lookups.get(block.connection);
      if (reader === undefined) throw new InternalError(`No reader was given for lookups in "${block.connection}"`);
      return new LookupStep(block, reader, clock);
    }
  }
}
