import type { ConfigProblem, PipelineDocument } from '../../http/api-types.ts';
import { listRevisions, readRevision } from './api.ts';
import { Store } from './store.ts';

/** The configuration as the reader is changing it. Kept while the page is open, wherever the reader goes in it. */
export interface Draft {
  /** What it started from. */
  readonly base: PipelineDocument;
  /** The revision it started from; null when nothing is deployed. */
  readonly revision: number | null;
  readonly document: PipelineDocument;
  /** The file in the editor, for example `jobs/orders.yaml`. */
  readonly open: string;
}

export const draft = new Store<Draft | null>(null);

const EMPTY: PipelineDocument = {
  config: 'targets:\n  target:\n    connection:\n      type: redis\n      host: 127.0.0.1\n      port: 6379\n',
  jobs: {},
  tests: {},
  folder: '/',
};

/** Reads what is deployed, unless a draft is there already. */
export async function loadDraft(): Promise<void> {
  if (draft.value && isChanged(draft.value)) return;
  draft.set(await readDeployed(draft.value?.open ?? 'config.yaml'));
}

/** Forgets all changes and reads what is deployed. */
export async function reloadDraft(): Promise<void> {
  draft.set(await readDeployed(draft.value?.open ?? 'config.yaml'));
}

async function readDeployed(open: string): Promise<Draft> {
  const current = (await listRevisions()).find(({ isCurrent }) => isCurrent);
  const base = current ? (await readRevision(current.number)).document : EMPTY;
  const isThere = filesOf(base).some(({ file }) => file === open);
  return { base, revision: current?.number ?? null, document: base, open: isThere ? open : 'config.yaml' };
}

/** All files with their texts, in the order of a list. */
export function filesOf({ config, jobs, tests }: PipelineDocument): { file: string; text: string }[] {
  const inFolder = (folder: string, files: Readonly<Record<string, string>>) =>
    Object.keys(files)
      .sort()
      .map((name) => ({ file: `${folder}/${name}`, text: files[name] ?? '' }));
  return [{ file: 'config.yaml', text: config }, ...inFolder('jobs', jobs), ...inFolder('jobs/tests', tests)];
}

/** The document with another text for a file; null takes the file away. */
export function withFile(document: PipelineDocument, file: string, text: string | null): PipelineDocument {
  if (file === 'config.yaml') return { ...document, config: text ?? '' };
  const folder = file.startsWith('jobs/tests/') ? 'tests' : 'jobs';
  const name = file.slice(folder === 'tests' ? 'jobs/tests/'.length : 'jobs/'.length);
  const others = Object.fromEntries(Object.entries(document[folder]).filter(([other]) => other !== name));
  return { ...document, [folder]: text === null ? others : { ...others, [name]: text } };
}

export function isChanged({ base, document }: Draft): boolean {
  return JSON.stringify(filesOf(base)) !== JSON.stringify(filesOf(document));
}

/** Puts a text into the draft and opens it there. */
export async function putIntoDraft(file: string, text: string): Promise<void> {
  await loadDraft();
  if (draft.value) draft.set({ ...draft.value, document: withFile(draft.value.document, file, text), open: file });
}

/** Whether a problem is about this file; problems carry the path as the server sees it. */
export function concerns({ file }: ConfigProblem, wanted: string): boolean {
  if (file === wanted) return true;
  if (!file.endsWith(`/${wanted}`)) return false;
  return wanted !== 'config.yaml' || !/(^|\/)jobs\//.test(file);
}
