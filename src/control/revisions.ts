import { HIDDEN, type PipelineDocument, requireTarget } from '../config/index.ts';
import { ConfigError } from '../errors.ts';
import type { StoredRevision } from '../streams/index.ts';
import type { Judged } from './deployment.ts';
import type { Revision, RunningPipeline } from './operations.ts';

export function documentOf(stored: StoredRevision | null): PipelineDocument | null {
  return stored === null ? null : (JSON.parse(stored.document) as PipelineDocument);
}

export function toRevision({ number, createdAt, origin, note }: StoredRevision, current: number | null): Revision {
  return { number, createdAt, origin: origin as Revision['origin'], note, isCurrent: number === current };
}

export function hasTargets({ pipeline }: Pick<RunningPipeline, 'pipeline'>): boolean {
  return Object.keys(pipeline.targets).length > 0;
}

/** Whether both would write the same to the same places. */
export function isSameInEffect(one: RunningPipeline, other: RunningPipeline): boolean {
  const effect = ({ pipeline }: RunningPipeline) =>
    JSON.stringify([
      pipeline.targets,
      pipeline.settings,
      pipeline.secrets,
      pipeline.jobs.map(({ content }) => content),
    ]);
  return effect(one) === effect(other);
}

export function requireTargetUnlessJobs({ pipeline, jobs }: Omit<RunningPipeline, 'revision'>): void {
  if (jobs.length === 0) requireTarget(pipeline);
}

export function leftMasks({ config }: PipelineDocument): Judged['problems'] {
  const lines = config
    .split('\n')
    .flatMap((text, i) => (text.includes(HIDDEN) ? [{ line: i + 1, col: text.indexOf(HIDDEN) + 1 }] : []));
  const message = `\`${HIDDEN}\` stands for a secret that is shown to nobody, and nothing is deployed that it could stand for; write the value, or better a placeholder such as \`\${TARGET_DB_PASSWORD}\``;
  return lines.map((place) => ({ file: 'config.yaml', ...place, message }));
}

export function noTarget(name: string): ConfigError {
  return new ConfigError('CONFIG_NOT_FOUND', `There is no target ${name}`, { fix: 'rdi status lists the targets' });
}

export function problemsError({ problems }: Judged): ConfigError {
  const what =
    problems.length === 1 ? 'the configuration has a problem' : `the configuration has ${problems.length} problems`;
  return new ConfigError('CONFIG_INVALID', what, { problems });
}

export function nothingToStart(): ConfigError {
  return new ConfigError('CONFIG_INVALID', 'There is nothing to start: no pipeline is deployed', {
    fix: 'Deploy one with rdi deploy --dir FOLDER',
  });
}
