import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadPipelineDocument } from '../../../src/config/index.ts';
import { makeCertificate } from '../../unit/config/certificates.ts';
import { folderWith } from '../../unit/config/files.ts';
import { eventually, openWorld } from '../../unit/secrets/secret-world.ts';

/** A folder as the kubelet lays it out: names point into `..data`, which points to the newest version. */
function mounted(files: Readonly<Record<string, string>>): {
  dir: string;
  swap: (files: Readonly<Record<string, string>>) => void;
} {
  const dir = folderWith({});
  let version = 0;
  const swap = (next: Readonly<Record<string, string>>) => {
    const data = `..version_${++version}`;
    mkdirSync(join(dir, data));
    for (const [name, text] of Object.entries(next)) writeFileSync(join(dir, data, name), text, { mode: 0o600 });
    symlinkSync(data, join(dir, '..data_tmp'));
    renameSync(join(dir, '..data_tmp'), join(dir, '..data'));
    if (version > 1) rmSync(join(dir, `..version_${version - 1}`), { recursive: true });
  };
  swap(files);
  for (const name of Object.keys(files)) symlinkSync(join('..data', name), join(dir, name));
  return { dir, swap };
}

describe('a change', () => {
  it('of a file is seen, announced once, and is in the environment by then', async () => {
    const dir = folderWith({ A: 'one\n' });
    const { secrets, hidden } = await openWorld({ dir });
    const seen: (string | undefined)[] = [];
    secrets.watch(() => seen.push(secrets.environment['A']));
    writeFileSync(join(dir, 'A'), '');
    writeFileSync(join(dir, 'A'), 'two\n');
    await eventually(() => seen.length > 0);
    expect(seen).toEqual(['two']);
    expect([...hidden]).toContain('two');
  });

  it('of a folder that Kubernetes swaps whole is seen with all of its files at once', async () => {
    const { dir, swap } = mounted({ USER: 'u1', PASSWORD: 'p1' });
    const { secrets } = await openWorld({ dir });
    const seen: string[] = [];
    secrets.watch(() => seen.push(`${secrets.environment['USER']}/${secrets.environment['PASSWORD']}`));
    swap({ USER: 'u2', PASSWORD: 'p2' });
    await eventually(() => seen.length > 0);
    expect(seen).toEqual(['u2/p2']);
  });

  it('of a file that came or went is seen, also when the folder itself comes late', async () => {
    const parent = folderWith({});
    const dir = join(parent, 'late');
    const { secrets } = await openWorld({ dir });
    const seen: string[] = [];
    secrets.watch(() => seen.push(secrets.names().join()));
    mkdirSync(dir);
    writeFileSync(join(dir, 'A'), 'a');
    await eventually(() => seen.length === 1);
    rmSync(join(dir, 'A'));
    await eventually(() => seen.length === 2);
    expect(seen).toEqual(['A', '']);
  });

  it('of a certificate that the pipeline names by its path is seen, and of one that it does not name is not', async () => {
    const folder = folderWith({});
    const { cert } = makeCertificate(folder, 'ca');
    const config = `targets: {target: {connection: {type: redis, host: h, port: 1, cacert: ca.crt}}}`;
    const document = { config, jobs: {}, tests: {}, folder };
    const { secrets } = await openWorld({});
    let changes = 0;
    secrets.watch(() => changes++);
    const { files } = loadPipelineDocument(document, { env: {} });
    expect(files).toEqual([cert]);
    secrets.watchFiles(files);
    writeFileSync(join(folder, 'other.crt'), 'x');
    const { targets } = loadPipelineDocument(document, { env: {} });
    makeCertificate(folder, 'ca');
    await eventually(() => changes === 1);
    expect(loadPipelineDocument(document, { env: {} }).targets['target']?.tls?.ca).not.toBe(targets['target']?.tls?.ca);
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(changes).toBe(1);
  });

  it('is announced at most once per second', async () => {
    const dir = folderWith({ A: '0' });
    const { secrets } = await openWorld({ dir });
    const times: number[] = [];
    secrets.watch(() => times.push(performance.now()));
    for (let change = 1; change <= 6; change++) {
      writeFileSync(join(dir, 'A'), String(change));
      await new Promise((resolve) => setTimeout(resolve, 350));
    }
    await eventually(() => secrets.environment['A'] === '6');
    await new Promise((resolve) => setTimeout(resolve, 1100));
    for (let index = 1; index < times.length; index++) expect(times[index]! - times[index - 1]!).toBeGreaterThan(990);
    expect(times.length).toBeGreaterThan(1);
    expect(times.length).toBeLessThan(5);
  });

  it('is not seen after close', async () => {
    const dir = folderWith({ A: '0' });
    const { secrets } = await openWorld({ dir });
    let changes = 0;
    secrets.watch(() => changes++);
    secrets.close();
    writeFileSync(join(dir, 'A'), '1');
    await new Promise((resolve) => setTimeout(resolve, 400));
    expect(changes).toBe(0);
  });
});
