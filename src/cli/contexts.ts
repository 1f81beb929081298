import type { Command } from 'commander';
import { ConfigError } from '../errors.ts';
import { type ApiOptions, withApi } from './api.ts';
import { parseApiUrl, refuseContradictions } from './api-settings.ts';
import { confirm } from './confirm.ts';
import type { AddCommand, Context } from './context.ts';
import { type ApiContext, contextNamed, contextsFile, readContexts, writeContexts } from './contexts-file.ts';
import { formatFacts } from './dlq-record-view.ts';
import { type OutputFormat, print, withOutput } from './output.ts';
import { formatTable, left } from './table.ts';
import { printable } from './terminal.ts';

/** All commands about `~/.redis-di`. */
export const addContexts: AddCommand = (program: Command, context: Context) => {
  addListContexts(program, context);
  addDescribeContext(program, context);
  addSetContext(program, context);
  addUseContext(program, context);
  addDeleteContexts(program, context);
};

function addListContexts(program: Command, { terminal }: Context): void {
  const command = program.command('list-contexts').summary('list the places of running rdis that are kept by name');
  withOutput(command).action(async ({ output }: { output: OutputFormat }) => {
    const { current, contexts } = await readContexts(terminal.env);
    const rows = Object.entries(contexts).map(([name, one]) => ({ name, active: name === current, ...one }));
    await print(terminal, output, rows, (found) => {
      if (found.length === 0) return 'There is no context. Make one with rdi set-context NAME --api-url URL.\n';
      const columns = ['Active', 'Name', 'API Address', 'User'].map(left);
      const cells = found.map((one) => [one.active ? '*' : '', one.name, one['api-url'] ?? '-', one.user ?? '-']);
      return formatTable(columns, cells);
    });
  });
}

function addDescribeContext(program: Command, { terminal }: Context): void {
  const command = program
    .command('describe-context')
    .summary('show what a context holds')
    .argument('<name>', 'name of the context');
  withOutput(command).action(async (name: string, { output }: { output: OutputFormat }) => {
    const contexts = await readContexts(terminal.env);
    const found = { name, active: name === contexts.current, ...contextNamed(contexts, name) };
    await print(terminal, output, found, (all) =>
      formatFacts(Object.entries(all).map(([key, value]) => [key, String(value)])),
    );
  });
}

type SetOptions = ApiOptions & { readonly unsetUser?: true; readonly unsetAccountKey?: true };

function addSetContext(program: Command, context: Context): void {
  const { terminal } = context;
  const command = program
    .command('set-context')
    .alias('add-context')
    .summary('keep the address of a running rdi under a name')
    .description(
      'Keeps address, user and trust under a name in ~/.redis-di; what is not given stays as it was. Passwords are never ' +
        'kept: set RDI_PASSWORD, or be asked. rdi use-context NAME makes it the active one.',
    )
    .argument('<name>', 'name of the context')
    .option('--unset-user', 'forget the user')
    .option('--unset-account-key', 'forget the account key of Redis Cloud');
  withApi(command).action(async (name: string, options: SetOptions) => {
    refuseContradictions(options);
    refuseSecrets(options);
    const contexts = await readContexts(terminal.env);
    const before: ApiContext | undefined = Object.hasOwn(contexts.contexts, name) ? contexts.contexts[name] : undefined;
    const after = merged(before ?? {}, options);
    if (before !== undefined && JSON.stringify(before) === JSON.stringify(after)) {
      terminal.out(
        `Context ${printable(name)} stays as it is. To make it the active one: rdi use-context ${printable(name)}\n`,
      );
      return;
    }
    if (after['api-url'] === undefined) {
      throw new ConfigError('CONFIG_INVALID', `Context ${name} has no address`, {
        fix: 'Give --api-url http://host:port.',
      });
    }
    await writeContexts(terminal.env, { ...contexts, contexts: { ...contexts.contexts, [name]: after } });
    terminal.out(
      `Context ${printable(name)} is kept in ${contextsFile(terminal.env)}. Use it with rdi use-context ${printable(name)}.\n`,
    );
  });
}

function refuseSecrets({ password }: SetOptions): void {
  if (password === undefined) return;
  throw new ConfigError('CONFIG_INVALID', 'A context holds no password', {
    fix: 'Leave --password out; set RDI_PASSWORD when a command needs it.',
  });
}

function merged(before: ApiContext, options: SetOptions): ApiContext {
  const { apiUrl, user, cacert, insecure, unsetUser, unsetAccountKey } = options;
  if (apiUrl !== undefined && parseApiUrl(apiUrl).proxyLogin !== undefined) {
    throw new ConfigError('CONFIG_INVALID', 'The address of a context holds no user', {
      fix: 'Give --api-url without user and password, and --user where one is needed.',
    });
  }
  const after = {
    ...before,
    ...(apiUrl === undefined ? {} : { 'api-url': apiUrl }),
    ...(user === undefined ? {} : { user }),
    ...(cacert === undefined ? {} : { cacert, insecure: undefined }),
    ...(insecure === true ? { insecure, cacert: undefined } : {}),
    ...(unsetUser ? { user: undefined } : {}),
    ...(unsetAccountKey || user !== undefined ? { 'account-key': undefined } : {}),
  };
  return Object.fromEntries(Object.entries(after).filter(([, value]) => value !== undefined));
}

function addUseContext(program: Command, { terminal }: Context): void {
  program
    .command('use-context')
    .summary('make a context the active one')
    .argument('<name>', 'name of the context')
    .action(async (name: string) => {
      const contexts = await readContexts(terminal.env);
      const { 'api-url': address } = contextNamed(contexts, name);
      await writeContexts(terminal.env, { ...contexts, current: name });
      terminal.out(`Commands now ask the rdi at ${printable(address ?? '')} (context ${printable(name)}).\n`);
    });
}

function addDeleteContexts(program: Command, context: Context): void {
  const { terminal } = context;
  program
    .command('delete-context')
    .summary('forget a context')
    .argument('<name>', 'name of the context')
    .option('-f, --force', 'do not ask', false)
    .action(async (name: string, { force }: { force: boolean }) => {
      const { current, contexts } = await readContexts(terminal.env);
      contextNamed({ current, contexts }, name);
      await confirm(context, `This forgets context ${name}`, force);
      const { [name]: _gone, ...others } = contexts;
      await writeContexts(terminal.env, { current: current === name ? null : current, contexts: others });
      terminal.out(`Context ${printable(name)} is forgotten.\n`);
    });
  program
    .command('delete-all-contexts')
    .summary('forget all contexts')
    .option('-f, --force', 'do not ask', false)
    .action(async ({ force }: { force: boolean }) => {
      await readContexts(terminal.env);
      await confirm(context, 'This forgets all contexts', force);
      await writeContexts(terminal.env, { current: null, contexts: {} });
      terminal.out('All contexts are forgotten.\n');
    });
}
