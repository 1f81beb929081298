import { findProblems, type Problem } from './problems.ts';
import type { Engine, EngineSnapshot, Readiness } from './types.ts';

/** `STARTED`: nothing has arrived yet. `IDLING`: everything is settled. `ERROR`: data does not flow. */
export type RunState = 'STARTED' | 'RUNNING' | 'IDLING' | 'STOPPED' | 'ERROR';

/** The body of `GET /api/v2/overview` and what `rdi status` prints. */
export interface Status extends EngineSnapshot {
  readonly state: RunState;
  readonly ready: boolean;
  /** Why it is not ready. */
  readonly reasons: readonly string[];
  readonly problems: readonly Problem[];
}

/** The engine's snapshot with what follows from it, without secrets. */
export function readStatus(engine: Engine): Status {
  const snapshot = engine.snapshot();
  return withoutCredentials({
    ...snapshot,
    state: runState(snapshot),
    ...readReadiness(engine),
    problems: findProblems(snapshot),
  });
}

/** Whether the engine can serve feeders, and if not why, without secrets. */
export function readReadiness(engine: Engine): Readiness {
  const { ready, reasons } = engine.ready();
  return withoutCredentials({ ready, reasons });
}

export function runState(snapshot: EngineSnapshot): RunState {
  if (snapshot.store.state === 'failed' || snapshot.pipeline.failure !== null) return 'ERROR';
  if (!snapshot.endpoint.listening) return snapshot.store.state === 'recovering' ? 'STARTED' : 'STOPPED';
  if (!snapshot.pipeline.isActive) return 'STOPPED';
  if (!snapshot.pipeline.isDeployed) return 'ERROR';
  if (snapshot.targets.some(({ state }) => state.state === 'waiting' || state.state === 'refused')) return 'ERROR';
  if (snapshot.streams.some((stream) => stream.stopped)) return 'ERROR';
  if (snapshot.totals.received === 0) return 'STARTED';
  return snapshot.totals.pending > 0 ? 'RUNNING' : 'IDLING';
}

/**
 * A copy in which no text holds the user part of a URL. Rooms promise not to hand on secrets; a driver's error message
 * that quotes its URL must not break that promise.
 */
export function withoutCredentials<T>(value: T): T {
  if (typeof value === 'string') return value.replace(/\b([a-z][a-z0-9+.-]*:\/\/)\S*@/gi, '$1') as T;
  if (Array.isArray(value)) return value.map(withoutCredentials) as T;
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, withoutCredentials(part)])) as T;
}
