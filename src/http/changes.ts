import type { PipelineDocument } from '../config/index.ts';
import type { Deployment, DeploymentCheck, DeployOptions, Engine } from '../control/index.ts';
import { HttpError } from './api.ts';
import { type ConfigJson, configOf, documentOf } from './config-json.ts';
import { errorOfProblem } from './failures.ts';

/** One change of the configuration at a time: each is made of what the one before it left. */
export class Changes {
  #last: Promise<unknown> = Promise.resolve();

  /** Calls `work` when all earlier work is over, whatever came of it. */
  run<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#last.then(work);
    this.#last = result.catch(() => {});
    return result;
  }

  /**
   * Checks what `edit` makes of the deployed configuration, and gives it to `deploy`. Refuses with 422 and every problem; resolves
   * when it was checked, to what `deploy` gave and to the end of the change.
   */
  async start(
    engine: Engine,
    edit: (config: ConfigJson) => ConfigJson,
    deploy: ((document: PipelineDocument) => Promise<unknown>) | null,
  ): Promise<{ readonly checked: DeploymentCheck; readonly done: Promise<unknown> }> {
    const started = Promise.withResolvers<{ checked: DeploymentCheck; done: Promise<unknown> }>();
    this.run(async () => {
      const document = documentOf(edit(configOf(engine.pipeline)), engine.pipeline);
      const checked = await engine.pipeline.check(document);
      requireValid(checked);
      const done = deploy === null ? Promise.resolve() : deploy(document);
      started.resolve({ checked, done });
      // The next change waits; whoever started this one learns what became of it.
      await done.catch(() => {});
    }).catch(started.reject);
    return started.promise;
  }
}

/** Deploys texts, and refuses with 422 and every problem. */
export async function deployDocument(
  engine: Engine,
  document: PipelineDocument,
  options: DeployOptions,
): Promise<Deployment> {
  return requireValid(await engine.pipeline.deploy(document, options));
}

/** Refuses with 422 and every problem. */
export function requireValid<T extends DeploymentCheck>(check: T): T {
  if (check.problems.length === 0) return check;
  const errors = check.problems.map(errorOfProblem);
  throw new HttpError(422, errors.map(({ message }) => message).join('\n'), errors);
}
