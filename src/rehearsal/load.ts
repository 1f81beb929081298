import { type LoadedPipeline, loadPipeline } from '../config/index.ts';

/** Stands for a variable that is not set: good as a text, a port and a password. */
const STAND_IN = '1';

/**
 * The pipeline of a folder for a trial. Variables that are not set (passwords, addresses of targets) are no problem, because
 * nothing is connected to.
 *
 * @throws ConfigError as `loadPipeline` does
 */
export function loadForRehearsal(dir: string, env: Readonly<Record<string, string | undefined>>): LoadedPipeline {
  const valueFor = (variables: object, name: string | symbol): string | undefined =>
    Reflect.get(variables, name) ?? (typeof name === 'string' ? STAND_IN : undefined);
  const filled: Readonly<Record<string, string | undefined>> = new Proxy<Record<string, string | undefined>>(
    { ...env },
    {
      get: valueFor,
      getOwnPropertyDescriptor: (variables, name) => ({
        value: valueFor(variables, name),
        configurable: true,
        enumerable: true,
        writable: true,
      }),
    },
  );
  return loadPipeline(dir, { env: filled });
}
