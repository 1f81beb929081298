import type { HistogramSnapshot, MetricFamily, MetricType } from './metrics.ts';

/** One sample: the values of the declared labels in their order, then its value. */
export type Reading = readonly [...labels: string[], value: number | HistogramSnapshot];

/**
 * A metric family as it is declared: once, so that what is served and what is documented cannot differ. `read` takes the
 * samples off the source at the moment of a scrape.
 */
export interface MetricDeclaration<Source> {
  readonly name: string;
  readonly type: MetricType;
  readonly labels: readonly string[];
  /** One sentence. */
  readonly help: string;
  readonly read: (source: Source) => readonly Reading[];
}

/** A family with one sample and no labels; no sample where `read` answers undefined. */
export function single<Source>(
  name: string,
  type: 'counter' | 'gauge',
  help: string,
  read: (source: Source) => number | undefined,
): MetricDeclaration<Source> {
  return {
    name,
    type,
    labels: [],
    help,
    read: (source) => {
      const value = read(source);
      return value === undefined ? [] : [[value]];
    },
  };
}

/** A family with labels. */
export function labelled<Source>(
  name: string,
  type: MetricType,
  labels: readonly string[],
  help: string,
  read: (source: Source) => readonly Reading[],
): MetricDeclaration<Source> {
  return { name, type, labels, help, read };
}

/** The families of the declarations with the samples of this moment. */
export function readFamilies<Source>(
  declarations: readonly MetricDeclaration<Source>[],
  source: Source,
): MetricFamily[] {
  return declarations.map(({ name, type, labels, help, read }) => ({
    name,
    type,
    help,
    samples: read(source).map((reading) => ({
      labels: Object.fromEntries(labels.map((label, index) => [label, reading[index] as string])),
      value: reading[labels.length] as number | HistogramSnapshot,
    })),
  }));
}
