import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { main } from '../../../src/cli/index.ts';
import { loadInstance, loadPipelineDocument, referredSecrets } from '../../../src/config/index.ts';
import { capturedTerminal } from '../../helpers/captured-terminal.ts';
import { makeCertificate } from '../config/certificates.ts';
import { configError, folderWith } from '../config/files.ts';
import { page } from './examples.ts';

const text = page('secrets.md');

/** Fenced blocks of one language. */
function blocks(language: string): string[] {
  return [...text.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, 'gms'))].map(([, content = '']) => content);
}

const examples = blocks('yaml').map((content) => ({ file: /^# (\S+)\n/.exec(content)?.[1], content }));

describe('docs/secrets.md', () => {
  test('says of each example which file it is', () => {
    expect(new Set(examples.map(({ file }) => file))).toEqual(new Set(['config.yaml', 'rdi.yaml']));
  });

  test.each(examples.filter(({ file }) => file === 'config.yaml'))(
    'has a config.yaml that loads: $content',
    ({ content }) => {
      const folder = folderWith({});
      const { cert } = makeCertificate(folder);
      const document = { config: content, jobs: {}, tests: {}, folder };
      const names = referredSecrets(document);
      const env = Object.fromEntries(names.map((name) => [name, name.endsWith('CACERT') ? cert : `value of ${name}`]));
      expect(loadPipelineDocument(document, { env }).targets['target']?.password).toContain('value of');
      expect(configError(() => loadPipelineDocument(document, { env: {} })).problems).toHaveLength(names.length);
    },
  );

  test.each(examples.filter(({ file }) => file === 'rdi.yaml'))(
    'has an rdi.yaml that loads: $content',
    ({ content }) => {
      const folder = folderWith({});
      const { cert } = makeCertificate(folder);
      const dir = folderWith({ 'rdi.yaml': content.replace('/etc/ssl/corp-ca.pem', cert) });
      const sources = loadInstance({ dir, env: {} }).secretSources;
      const written = (parse(content) as { secrets: Record<string, unknown> }).secrets;
      expect(Object.keys(sources).length).toBe(Object.keys(written).length);
      if (sources.vault !== undefined) expect(sources.vault.paths).toHaveLength(2);
    },
  );

  test('shows commands and options that exist', async () => {
    const lines = blocks('sh').flatMap((block) => block.split('\n').filter((line) => line.startsWith('rdi ')));
    expect(lines.length).toBeGreaterThan(5);
    for (const line of lines) {
      const [, command = '', ...words] = line.split(' ');
      const terminal = capturedTerminal();
      expect([line, await main([command, '--help'], terminal)]).toEqual([line, 0]);
      for (const option of words.filter((word) => word.startsWith('--'))) {
        expect(terminal.printed.out).toContain(option.split('=')[0]);
      }
    }
  });

  test('names variables and flags that exist', async () => {
    const { INSTANCE_OPTIONS } = await import('../../../src/config/index.ts');
    const known = new Set(INSTANCE_OPTIONS.flatMap(({ variable, flag }) => [variable, `--${flag}`]));
    const named = text.match(/\b(?:RDI_(?:VAULT|SECRETS)|VAULT)_[A-Z_]+\b|--(?:secrets|vault)-[a-z-]+/g) ?? [];
    expect(named.filter((name) => !known.has(name))).toEqual([]);
    expect(join(...new Set(named))).toContain('RDI_SECRETS_DIR');
  });
});
