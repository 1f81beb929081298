import { z } from 'zod';
import { type Engine, type EngineSnapshot, findProblems, withoutCredentials } from '../control/index.ts';
import type { ApiErrorItem } from './api.ts';
import { configOf } from './config-json.ts';
import { errorItem, pipelineState } from './shapes.ts';

/** The pipeline as RDI's API v2 shows it. */

const component = z.object({
  name: z.string(),
  type: z.enum(['debezium-collector', 'stream-processor', 'metrics-exporter']),
  version: z.string(),
  status: pipelineState,
  replicas: z.number(),
  errors: z.array(errorItem),
  metric_collections: z.array(z.string()),
});

export const pipelineStatus = z.object({
  status: pipelineState,
  status_changed_at: z.string().describe('ISO 8601'),
  errors: z.array(errorItem),
  components: z.array(component),
  current: z.boolean().describe('False while a change is under way: then ask again'),
});

export const pipelineAnswer = pipelineStatus.extend({
  name: z.literal('default'),
  active: z.boolean(),
  config: z.record(z.string(), z.unknown()).describe('`config.yaml` and `jobs`, secrets masked'),
});

type State = z.output<typeof pipelineState>;

const LASTING: ReadonlySet<State> = new Set(['started', 'stopped', 'error']);
/** A target may be away for so long before the pipeline counts as failed; scripts give up when they see that. */
const GRACE_MS = 120_000;
const SINK_CLIENT = 'debezium:redis:sink';

export function viewPipeline(engine: Engine): z.output<typeof pipelineAnswer> {
  const { isActive } = engine.snapshot().pipeline;
  return { name: 'default', active: isActive, config: configOf(engine.pipeline), ...viewStatus(engine) };
}

export function viewStatus(engine: Engine): z.output<typeof pipelineStatus> {
  const snapshot = engine.snapshot();
  const { state, stateChangedAt, failure } = { ...snapshot.pipeline, ...stateOf(engine) };
  const errors: ApiErrorItem[] = findProblems(snapshot)
    .filter(({ severity }) => severity === 'error')
    .map(({ text }) => ({ code: 'pipeline_component_error', message: text }));
  if (failure !== null && !errors.some(({ message }) => message.includes(failure))) {
    errors.push({ code: 'pipeline_error', message: failure });
  }
  const status = state === 'started' && hasFailed(snapshot) ? 'error' : state;
  return withoutCredentials({
    status,
    status_changed_at: new Date(stateChangedAt).toISOString(),
    errors: errors.map((error) => ({ ...error })),
    components: components(snapshot, status),
    current: LASTING.has(state),
  });
}

/** The desk is asked itself: it knows of a change before the next snapshot does. */
function stateOf({ pipeline }: Engine): { state: State; stateChangedAt: number } {
  return { state: pipeline.state, stateChangedAt: pipeline.stateChangedAt };
}

/** Whether something stands that does not mend itself, or has not for a while. */
function hasFailed({ store, targets, streams, takenAt }: EngineSnapshot): boolean {
  const isAway = targets.some(
    ({ state }) => (state.state === 'waiting' || state.state === 'refused') && takenAt - state.since > GRACE_MS,
  );
  return store.state === 'failed' || isAway || streams.some(({ stopped }) => stopped !== null);
}

function components(snapshot: EngineSnapshot, status: State): z.output<typeof component>[] {
  const { version, endpoint, pipeline } = snapshot;
  const isFed = endpoint.connections.some(({ name }) => name === SINK_CLIENT);
  const names = pipeline.sources.length === 0 ? ['source'] : pipeline.sources.map(({ name }) => name);
  return [
    ...names.map((name) => ({
      name: `collector-${name}`,
      type: 'debezium-collector' as const,
      version: 'unknown',
      status: isFed ? ('started' as const) : ('unknown' as const),
      replicas: 1,
      errors: [],
      metric_collections: ['collector-source'],
    })),
    {
      name: 'processor',
      type: 'stream-processor',
      version,
      status,
      replicas: 1,
      errors: [],
      metric_collections: ['processor'],
    },
    {
      name: 'metrics-exporter',
      type: 'metrics-exporter',
      version,
      status: 'started',
      replicas: 1,
      errors: [],
      metric_collections: [],
    },
  ];
}
