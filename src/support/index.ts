/**
 * Support package: everything that somebody needs who has to understand a problem from afar, as one archive.
 *
 * **In:** a pipeline folder, the variables of the process, the data folder, and where there is one a running rdi through its API.
 * **Out:** a `.tar.gz` in memory.
 *
 * | file | |
 * |---|---|
 * | `README.txt` | what is there, what is missing and why |
 * | `versions.json`, `machine.json` | versions; kernel, memory, disk, limits, names of variables |
 * | `doctor.json` | findings of `rdi doctor` |
 * | `folder/…` | `config.yaml`, `rdi.yaml`, jobs and their tests as they stand in the folder, masked |
 * | `deployed/…` | the same as deployed, `revisions.json` |
 * | `secrets.json` | names, and where the values come from |
 * | `store.json` | files of the data folder with their sizes, counters, checkpoint, DLQ counts, sizes of schema histories |
 * | `offsets.json` | positions of the feeders |
 * | `status.json`, `feeders.json`, `components.json`, `api/…`, `metrics.txt`, `log.jsonl` | of a running rdi |
 * | `rejected.jsonl` | rejected records, only when they were asked for: they hold rows |
 *
 * **Promises:** every text goes through one mask before it is put into the archive: known secrets in every spelling, and all that is
 * named like one (`mask.ts`). Nothing is changed and no lock is taken: of a store in use a copy is read. What cannot be had
 * is told in `README.txt`; the rest is there.
 *
 * **Does not:** hold rows, unless rejected records were asked for; but a log line or a reason may quote a value of one.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import {
  type Environment,
  type Instance,
  type LoadedPipeline,
  loadInstance,
  loadPipeline,
  loadPipelineDocument,
  maskDocument,
  type PipelineDocument,
  readPipelineDocument,
} from '../config/index.ts';
import { diagnose } from '../doctor/index.ts';
import { ConfigError, RdiError } from '../errors.ts';
import { withSecretFiles } from '../secrets/index.ts';
import { lookAtStore, type StoreView } from '../streams/index.ts';
import { machine, versions } from './machine.ts';
import { isSecretName, masker } from './mask.ts';
import { offsetsOf } from './offsets.ts';
import { readRunning } from './running.ts';
import { tar } from './tar.ts';
import type { PackageOptions } from './types.ts';

export type { PackageApi, PackageOptions } from './types.ts';

export interface SupportPackage {
  /** A file name with the time. */
  readonly name: string;
  readonly bytes: Buffer;
  readonly files: readonly string[];
  /** What could not be had, one sentence each. */
  readonly missing: readonly string[];
}

/** Collects the package. Never throws for what cannot be had. */
export async function collectPackage(options: PackageOptions): Promise<SupportPackage> {
  const { env, at, rejectedPerStream } = options;
  const files = new Map<string, string>();
  const missing: string[] = [];
  const written = readFolder(options, missing);
  const dataDir = options.dataDir ?? written.instance?.dataDir ?? 'data';
  const store = lookAtStore(dataDir, rejectedPerStream);
  if (store === null) missing.push(`There is no data folder ${dataDir}.`);
  else if (store.failure !== null) missing.push(`The state in ${dataDir} cannot be read: ${store.failure}.`);

  addJson(files, 'versions.json', versions());
  addJson(files, 'machine.json', machine(dataDir, env));
  if (written.document !== null) addDocument(files, 'folder', written.document);
  if (written.instanceText !== null) files.set('folder/rdi.yaml', written.instanceText);
  if (store !== null) addStore(files, store);
  await readRunning(options, files, missing);
  const diagnosis = await diagnose({ ...options, env: withSecretFiles(env) });
  addJson(files, 'doctor.json', diagnosis);
  files.set('README.txt', readme(options, [...files.keys()], missing));

  const mask = masker(knownSecrets(options, written, store));
  const masked = new Map([...files].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, text]) => [name, mask(text)]));
  const stamp = new Date(at)
    .toISOString()
    .replace(/\.\d+Z$/, '')
    .replaceAll(':', '')
    .replace('T', '-');
  const name = `rdi-support-${stamp}`;
  const inFolder = new Map([...masked].map(([file, text]) => [`${name}/${file}`, text]));
  return { name: `${name}.tar.gz`, bytes: gzipSync(tar(inFolder, at)), files: [...masked.keys()], missing };
}

interface WrittenFolder {
  readonly document: PipelineDocument | null;
  readonly instanceText: string | null;
  readonly pipeline: LoadedPipeline | null;
  readonly instance: Instance | null;
}

function readFolder({ dir, instanceFile, env }: PackageOptions, missing: string[]): WrittenFolder {
  const filled = withSecretFiles(env);
  const attempt = <T>(load: () => T): T | null => {
    try {
      return load();
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      const [what = ''] = error.message.split('\n');
      if (!missing.includes(what)) missing.push(what);
      return null;
    }
  };
  const document = attempt(() => readPipelineDocument(dir));
  return {
    document,
    pipeline: document === null ? null : attempt(() => loadPipeline(dir, { env: filled })),
    instance:
      attempt(() => loadInstance({ dir, file: instanceFile, env: filled })) ?? attempt(() => loadInstance({ env: {} })),
    instanceText: readText(instanceFile ?? join(dir, 'rdi.yaml')),
  };
}

function readText(file: string): string | null {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return null;
  }
}

function addJson(files: Map<string, string>, name: string, content: unknown): void {
  files.set(name, `${JSON.stringify(content, null, 2)}\n`);
}

function addDocument(files: Map<string, string>, folder: string, document: PipelineDocument): void {
  const { config, jobs, tests } = maskDocument(document);
  files.set(`${folder}/config.yaml`, config);
  for (const [name, text] of Object.entries(jobs)) files.set(`${folder}/jobs/${short(name)}`, text);
  for (const [name, text] of Object.entries(tests)) files.set(`${folder}/jobs/tests/${short(name)}`, text);
}

/** Names of files are as long as people make them, those in an archive are not. */
function short(name: string): string {
  const safe = name.replace(/[^\w.-]/g, '_');
  return safe.length <= 40 ? safe : `${safe.slice(0, 30)}…${safe.slice(-8)}`.replace('…', '_');
}

function addStore(files: Map<string, string>, { files: listed, state }: StoreView): void {
  if (state === null) {
    addJson(files, 'store.json', { files: listed });
    return;
  }
  const { metadata, document, secretNames, records, revisions, ...rest } = state;
  addJson(files, 'store.json', { files: listed, ...rest });
  addJson(files, 'offsets.json', offsetsOf(metadata));
  addJson(files, 'deployed/revisions.json', revisions);
  addJson(files, 'secrets.json', { stored: secretNames });
  if (document !== null) addDocument(files, 'deployed', JSON.parse(document) as PipelineDocument);
  if (records.length > 0) files.set('rejected.jsonl', records.map((record) => `${JSON.stringify(record)}\n`).join(''));
}

/** Everything that may stand anywhere and must not be seen. */
function knownSecrets({ env, secrets }: PackageOptions, written: WrittenFolder, store: StoreView | null): string[] {
  const filled = withSecretFiles(env);
  const named = Object.entries(filled).filter(([name, value]) => value !== env[name] || isSecretName(name));
  const texts = [written.document?.config ?? '', written.instanceText ?? '', store?.state?.document ?? ''];
  // What a wrong configuration names cannot be told apart into secret and not.
  const doubtful = written.pipeline === null || written.instance === null ? placeholders(texts, filled) : [];
  const inUrls = Object.values(filled).flatMap((value) => passwordOf(value ?? ''));
  return [
    ...secrets,
    ...named.flatMap(([, value]) => (value === undefined || /^\//.test(value) ? [] : [value])),
    ...doubtful,
    ...inUrls,
    ...(written.pipeline?.secrets ?? []),
    ...(written.instance?.secrets ?? []),
    ...deployedSecrets(store, filled),
  ].filter((secret) => secret !== '');
}

function placeholders(texts: readonly string[], env: Environment): string[] {
  const names = texts.flatMap((text) => [...text.matchAll(/\$\{([^}:]+)/g)].map(([, name = '']) => name));
  return names.flatMap((name) => env[name] ?? []).filter((value) => value.length > 3);
}

function passwordOf(text: string): string[] {
  const password = /^[a-z][a-z0-9+.-]*:\/\/[^:@/]*:([^@]+)@/i.exec(text)?.[1];
  if (password === undefined) return [];
  try {
    return [password, decodeURIComponent(password)];
  } catch {
    return [password];
  }
}

/** Secrets that are written out in what is deployed. */
function deployedSecrets(store: StoreView | null, env: Environment): readonly string[] {
  const text = store?.state?.document;
  if (text === null || text === undefined) return [];
  try {
    return loadPipelineDocument(JSON.parse(text) as PipelineDocument, { env }).secrets;
  } catch (error) {
    if (error instanceof RdiError) return [];
    throw error;
  }
}

function readme(
  { at, rejectedPerStream, logDays }: PackageOptions,
  names: readonly string[],
  missing: readonly string[],
): string {
  const sensitive = names.includes('rejected.jsonl')
    ? [
        '',
        'rejected.jsonl HOLDS ROWS OF YOUR DATABASE: it was asked for with --dump-rejected. Look at it before you send it.',
      ]
    : ['', 'It holds no rows. A reason or a line of the log may quote a value of one.'];
  const lines = [
    `Support package of rdi, made on ${new Date(at).toISOString()}.`,
    `Log: the last ${logDays} day(s) as far as the process remembers them. Rejected records per stream: ${rejectedPerStream}.`,
    'Secrets were replaced by ******** before anything was written.',
    ...sensitive,
    '',
    'Files:',
    ...[...names].sort().map((name) => `  ${name}`),
    ...(missing.length === 0 ? [] : ['', 'Missing:', ...missing.map((what) => `  ${what}`)]),
  ];
  return `${lines.join('\n')}\n`;
}
