import { type Command, Option } from 'commander';
import type { EngineSnapshot } from '../control/index.ts';
import { type Api, type ApiOptions, connectApi, withApi } from './api.ts';
import { confirm } from './confirm.ts';
import type { AddCommand, Context } from './context.ts';
import { ApiError } from './exit-codes.ts';
import { type PipelineOption, pipelinePath, withPipeline } from './pipeline-path.ts';
import { readSecretValue, secretName } from './secret-values.ts';
import { type DatabaseOption, type SecretLine, withDatabase } from './secrets.ts';
import { printable } from './terminal.ts';
import { type WaitOptions, waitForStatus, withWait } from './wait.ts';

type ChangeOptions = ApiOptions & PipelineOption & DatabaseOption & WaitOptions;

interface SetOptions extends ChangeOptions {
  readonly file?: string;
  readonly literal?: string;
  readonly secretName?: string;
  readonly secretValue?: string;
}

export const addSetSecret: AddCommand = (program: Command, context: Context) => {
  const command = program
    .command('set-secret')
    .summary('keep a value encrypted in the store, and have the pipeline use it')
    .description(
      'Keeps a value encrypted in the store of rdi, under the key of RDI_SECRETS_KEY; $' +
        '{KEY} in config.yaml then stands for it. Without a value it is asked for, and not shown. For certificates and ' +
        'keys (…_CACERT, …_CERT, …_KEY) the path of a file on this machine may be given as value.\n\n' +
        'The pipeline reconnects when it uses the value. To change several that are only valid together, add ' +
        '--wait=false to all but the last.',
    )
    .argument('[key]', 'for example TARGET_DB_PASSWORD')
    .argument('[value]', 'the value; others may see it on the command line')
    .option('--file <path>', 'take the value from this file; - is standard input')
    .option('--literal <text>', 'take the value as it stands, also where it looks like a path')
    .addOption(new Option('--secret-name <name>').hideHelp())
    .addOption(new Option('--secret-value <text>').hideHelp());
  withApi(withWait(withPipeline(withDatabase(command)))).action(
    async (key: string | undefined, argument: string | undefined, options: SetOptions) => {
      const given = key ?? options.secretName;
      if (given === undefined) return command.error("error: missing required argument 'key'", { exitCode: 2 });
      const name = secretName(given, options.db);
      const value = await readSecretValue(name, { argument, ...options }, context.terminal);
      const api = await connectApi(context, options);
      const path = pipelinePath(options.pipeline, 'secrets', name);
      await api.send('PUT', path, { value, type: 'simple' });
      const { isUsed } = await api.get<SecretLine>(path);
      if (isUsed) await settle(api, context, options);
      context.terminal.out(`Secret ${printable(name)} is set.\n`);
      if (!isUsed) context.terminal.err(`Nothing in the configuration refers to $${`{${printable(name)}}`} yet.\n`);
    },
  );
};

export const addDeleteSecret: AddCommand = (program: Command, context: Context) => {
  const command = program
    .command('delete-secret')
    .summary('delete a secret from the store')
    .description(
      'Deletes a value that set-secret kept. Values of files, Vault and variables stay, and count again from then on.',
    )
    .argument('<key>', 'for example TARGET_DB_PASSWORD')
    .option('-f, --force', 'do not ask', false);
  withApi(withWait(withPipeline(withDatabase(command)))).action(
    async (key: string, options: ChangeOptions & { readonly force: boolean }) => {
      const name = secretName(key, options.db);
      await confirm(context, `This deletes secret ${printable(name)}`, options.force);
      const api = await connectApi(context, options);
      const path = pipelinePath(options.pipeline, 'secrets', name);
      const { isUsed } = await api.get<SecretLine>(path);
      await api.send('DELETE', path);
      if (isUsed) await settle(api, context, options);
      context.terminal.out(`Secret ${printable(name)} is deleted.\n`);
    },
  );
};

/**
 * Waits until the pipeline, which uses the value, has taken the change.
 *
 * @throws ApiError when it could not; the change is kept all the same
 */
async function settle(api: Api, { terminal }: Context, { wait, timeout, pipeline }: ChangeOptions): Promise<void> {
  if (!wait) return;
  await waitForStatus(api, terminal, pipeline, ['started', 'stopped'], timeout);
  const { failure } = (await api.get<Pick<EngineSnapshot, 'pipeline'>>('/api/v2/overview')).pipeline;
  if (failure === null || failure === undefined) return;
  const fix = 'The change is kept. Until the cause is gone, the pipeline goes on with the values it had.';
  throw new ApiError('API_REFUSED', `The pipeline cannot use it: ${failure.replace(/\.$/, '')}`, 0, fix);
}
