import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { commandBytes } from '../helpers/bulk-strings.ts';
import type { JobCase } from '../helpers/job-cases.ts';
import { eventOf, type Intent, type RowChange, type SourceModel, TABLES } from '../helpers/job-model.ts';
import type { Random } from './random.ts';
import type { Change } from './workload.ts';

const MS_OF_FIRST = 1_700_000_000_000;

/** A source whose rows jobs shape: random changes one after the other, in the form in which the feeder takes them. */
export class JobWorkload {
  readonly #model: SourceModel;
  readonly #random: Random;
  #version = 0;

  constructor(model: SourceModel, random: Random) {
    this.#model = model;
    this.#random = random;
  }

  /** At least so many changes; those that one intent makes stay together. */
  take(count: number): Change[] {
    const taken: Change[] = [];
    while (taken.length < count) {
      for (const change of this.#model.apply(randomIntent(this.#random))) taken.push(this.#tell(change));
    }
    return taken;
  }

  #tell(change: RowChange): Change {
    const { stream, key, value } = eventOf(change);
    const version = ++this.#version;
    const command = commandBytes('XADD', stream, '*', 'key', key, 'value', value(MS_OF_FIRST + version));
    return { stream, command, version };
  }
}

function randomIntent(random: Random): Intent {
  return {
    table: random.pick(TABLES),
    id: random.below(40),
    action: random.pick(['write', 'write', 'write', 'write', 'remove', 'move']),
    to: random.below(40),
    tier: random.pick(['a', 'b', null]),
    rank: random.isLucky(0.2) ? null : random.below(1000),
    name: random.isLucky(0.2) ? null : `n${random.below(1e6)}`,
    tags: ['x', 'y', 'z'].filter(() => random.isLucky(0.4)),
    parent: random.below(40),
  };
}

/** Puts job files beside the `config.yaml` of an rdi in this folder. */
export function writeJobs(folder: string, jobs: JobCase['jobs']): void {
  mkdirSync(join(folder, 'pipeline', 'jobs'), { recursive: true });
  for (const [i, job] of jobs.entries()) {
    writeFileSync(join(folder, 'pipeline', 'jobs', `job-${i + 1}.yaml`), JSON.stringify(job));
  }
}
