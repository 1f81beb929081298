import { ConfigError } from '../errors.ts';
import type { Context } from './context.ts';
import { Interrupted } from './exit-codes.ts';

/**
 * Has a person agree to something that cannot be undone. `force` agrees beforehand.
 *
 * @throws ConfigError naming `--force` where there is nobody to ask; Interrupted when the answer is not yes
 */
export async function confirm({ terminal }: Pick<Context, 'terminal'>, what: string, force: boolean): Promise<void> {
  if (force) return;
  if (terminal.ask === undefined) {
    throw new ConfigError('CONFIG_INVALID', `${what}, and there is no terminal to confirm it`, {
      fix: 'Add --force when this is what you want.',
    });
  }
  const answer = await terminal.ask(`${what}. Go on? [y/N] `);
  if (/^y(es)?$/i.test(answer.trim())) return;
  terminal.err('Nothing was changed.\n');
  throw new Interrupted('not confirmed');
}
