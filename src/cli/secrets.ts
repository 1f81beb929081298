import type { Command } from 'commander';
import { type ApiOptions, connectApi, withApi } from './api.ts';
import type { AddCommand, Context } from './context.ts';
import { type OutputFormat, print, withOutput } from './output.ts';
import { type PipelineOption, pipelinePath, withPipeline } from './pipeline-path.ts';
import { secretName } from './secret-values.ts';
import { formatTable, left } from './table.ts';

/** A secret as the API tells of it. */
export interface SecretLine {
  readonly key: string;
  readonly origin: 'store' | 'file' | 'vault' | 'environment' | null;
  readonly isSet: boolean;
  readonly isUsed: boolean;
}

export interface DatabaseOption {
  readonly db?: string;
}

type ListOptions = ApiOptions & PipelineOption & DatabaseOption & { readonly output: OutputFormat };

/** Adds RDI 2.0's `--db`. */
export function withDatabase(command: Command): Command {
  return command.option('--db <name>', 'name of a source, or target: the key is then USERNAME, PASSWORD, CACERT, …');
}

const ORIGINS = { store: 'set-secret', file: 'file', vault: 'Vault', environment: 'variable' } as const;

export function formatSecrets(secrets: readonly SecretLine[]): string {
  if (secrets.length === 0) return 'There are no secrets, and the configuration refers to none.\n';
  const rows = secrets.map(({ key, origin, isSet, isUsed }) => [
    key,
    isSet ? 'yes' : 'no',
    isUsed ? 'yes' : 'no',
    origin === null ? '-' : ORIGINS[origin],
  ]);
  return formatTable([left('Key'), left('Set'), left('Used'), left('From')], rows);
}

export const addListSecrets: AddCommand = (program: Command, context: Context) => {
  const command = program
    .command('list-secrets')
    .summary('list secrets, whether each is set, and where it comes from')
    .description(
      'Lists the secrets that rdi has, and the names that the deployed configuration refers to: whether each has a value, ' +
        'whether it is used, and where the value comes from. Values are never shown.',
    );
  withApi(withOutput(withPipeline(withDatabase(command)))).action(async (options: ListOptions) => {
    const api = await connectApi(context, options);
    const all = await api.get<SecretLine[]>(pipelinePath(options.pipeline, 'secrets'));
    const prefix = options.db === undefined ? '' : secretName('KEY', options.db).slice(0, -'KEY'.length);
    const secrets = all.filter(({ key }) => key.startsWith(prefix));
    await print(context.terminal, options.output, secrets, formatSecrets);
  });
};

export const addGetSecret: AddCommand = (program: Command, context: Context) => {
  const command = program
    .command('get-secret')
    .summary('show one line of list-secrets')
    .description('Shows whether a secret has a value, and where it comes from. The value is never shown.')
    .argument('<key>', 'for example TARGET_DB_PASSWORD');
  withApi(withOutput(withPipeline(withDatabase(command)))).action(async (key: string, options: ListOptions) => {
    const secret = await getSecret(context, key, options);
    await print(context.terminal, options.output, secret, (found) => formatSecrets([found]));
  });
};

export const addDescribeSecret: AddCommand = (program: Command, context: Context) => {
  const command = program
    .command('describe-secret')
    .summary('say whether a secret is set')
    .description('Says whether a secret has a value, whether it is used, and where it comes from.')
    .argument('<key>', 'for example TARGET_DB_PASSWORD');
  type Options = ApiOptions & PipelineOption & DatabaseOption;
  withApi(withPipeline(withDatabase(command))).action(async (key: string, options: Options) => {
    const { isSet, isUsed, origin, ...secret } = await getSecret(context, key, options);
    const from = origin === null ? '' : `\nFrom: ${ORIGINS[origin]}`;
    const words = (flag: boolean) => (flag ? 'yes' : 'no');
    context.terminal.out(`Key:  ${secret.key}\nSet:  ${words(isSet)}\nUsed: ${words(isUsed)}${from}\n`);
  });
};

async function getSecret(
  context: Context,
  key: string,
  options: ApiOptions & PipelineOption & DatabaseOption,
): Promise<SecretLine> {
  const name = secretName(key, options.db);
  const api = await connectApi(context, options);
  return api.get<SecretLine>(pipelinePath(options.pipeline, 'secrets', name));
}
