import { z } from 'zod';

/** Shapes of a snapshot of the engine; `control/types.ts` says what each member means. */

export const accountSums = z.object({
  received: z.number(),
  written: z.number(),
  filtered: z.number(),
  superseded: z.number(),
  deduplicated: z.number(),
  rejected: z.number(),
  skipped: z.number(),
  pending: z.number(),
  inserted: z.number(),
  updated: z.number(),
  deleted: z.number(),
});

export const streamAccount = accountSums.extend({
  name: z.string(),
  db: z.number(),
  table: z.string().optional(),
  lastArrivalMs: z.number().nullable(),
  oldestPendingMs: z.number().nullable(),
  stopped: z.object({ reason: z.string(), entryId: z.string(), since: z.number() }).nullable(),
});
