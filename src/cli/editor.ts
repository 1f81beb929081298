import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { ConfigError } from '../errors.ts';
import type { Terminal } from './terminal.ts';

/**
 * Has a person change a text in the editor that `VISUAL` or `EDITOR` names, and gives back what was saved. The text lies in a
 * folder that only this user can read, and is removed afterwards.
 *
 * @throws ConfigError when there is no editor, or when it fails
 */
export async function editText({ env }: Pick<Terminal, 'env'>, fileName: string, text: string): Promise<string> {
  const editor = env['VISUAL'] || env['EDITOR'];
  if (!editor) {
    throw new ConfigError('CONFIG_INVALID', 'Neither VISUAL nor EDITOR names an editor', {
      fix: 'Set EDITOR, or give the new value with --value or --file.',
    });
  }
  const folder = await mkdtemp(join(tmpdir(), 'rdi-edit-'));
  try {
    const file = join(folder, basename(fileName));
    await writeFile(file, `${text}\n`, { mode: 0o600 });
    await runEditor(editor, file);
    return await readFile(file, 'utf8');
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Through a shell, because the variable may hold options: `code --wait`. The file's name is an argument, not part of the text. */
function runEditor(editor: string, file: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn('/bin/sh', ['-c', `${editor} "$1"`, 'sh', file], { stdio: 'inherit' });
    const fail = (reason: string) =>
      reject(
        new ConfigError('CONFIG_INVALID', `The editor ${editor} ${reason}`, {
          fix: 'Nothing was changed. Check EDITOR.',
        }),
      );
    child.once('error', (error) => fail(`cannot be started: ${error.message}`));
    child.once('exit', (code, signal) => (code === 0 ? resolve() : fail(`ended with ${code ?? signal}`)));
  });
}
