import type { z } from 'zod';
import { group } from './declare.ts';
import { processors } from './schema-processors.ts';
import { metadata, secretProviders, sources } from './schema-sources.ts';
import { targets } from './schema-targets.ts';

/** `config.yaml`, as RDI 1.19 and 2.0 define it, and what rdi knows beyond. */
export const pipelineSchema = group(
  {
    sources: sources.optional(),
    targets: targets.optional(),
    processors: processors.nullable().optional(),
    'secret-providers': secretProviders.optional(),
    metadata: metadata.optional(),
  },
  { description: 'A pipeline: where rows come from, where they go, and how.' },
);

export type PipelineInput = z.output<typeof pipelineSchema>;

/** The smallest file with which rdi can run. */
export const SMALLEST_PIPELINE = `targets:
  target:
    connection:
      type: redis
      host: 127.0.0.1
      port: 6379
`;
