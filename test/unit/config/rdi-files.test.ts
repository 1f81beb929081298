import { describe, expect, it } from 'vitest';
import { loadPipeline } from '../../../src/config/index.ts';
import { makeCertificate } from './certificates.ts';
import { folderWith } from './files.ts';
import { RDI_FILES, RDI_VARIABLES } from './rdi-files.ts';

describe('a file that RDI accepts is accepted unchanged', () => {
  it.each(Object.entries(RDI_FILES))('%s', (_, text) => {
    const folder = folderWith({ 'config.yaml': text });
    const { cert } = makeCertificate(folder);
    const pipeline = loadPipeline(folder, { env: { ...RDI_VARIABLES, TARGET_DB_CACERT: cert } });
    expect(Object.keys(pipeline.targets)).toContain('target');
  });

  it('whose source variables are not set, because rdi does not use them', () => {
    const folder = folderWith({ 'config.yaml': RDI_FILES['postgresql'] ?? '' });
    expect(() => loadPipeline(folder, { env: RDI_VARIABLES })).not.toThrow();
  });
});
