import { readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { ConfigError, type ConfigNotice, type ConfigProblem } from '../errors.ts';
import { checkSources, checkTargets } from './checks.ts';
import { resolveConnection } from './connection.ts';
import { freeze } from './freeze.ts';
import { declaredNotices, pipelineNotices } from './notices.ts';
import { pathKey, type Resolution, referredNames, substitute } from './placeholders.ts';
import { invalid, placed, sorted } from './problems.ts';
import { type PipelineInput, pipelineSchema, SMALLEST_PIPELINE } from './schema-pipeline.ts';
import { connectionSchema } from './schema-targets.ts';
import { redact, secretsIn } from './secrets.ts';
import { effectiveSettings } from './settings.ts';
import type { JobFile, LoadedPipeline, PipelineDocument, TargetConnection } from './types.ts';
import { validate } from './validate.ts';
import { parseYaml, readYamlFile, type YamlFile } from './yaml-file.ts';

/**
 * Reads the pipeline folder `dir`: `config.yaml` and `jobs/*.yaml`.
 *
 * Throws a {@link ConfigError}: `CONFIG_NOT_FOUND` when there is no `config.yaml`, `CONFIG_INVALID` with every problem of
 * every file otherwise.
 */
export function loadPipeline(dir: string, options: Resolution): LoadedPipeline {
  const file = readPipelineFile(dir);
  const jobs = listJobFiles(join(dir, 'jobs')).map((path) => readYamlFile(path));
  return load({ dir, folder: resolve(dir), file, jobs, problems: [] }, options);
}

/**
 * The same for texts that were deployed. Problems name `config.yaml` and `jobs/<name>`, behind `dir` where one is given.
 *
 * Throws a {@link ConfigError} `CONFIG_INVALID` with every problem of every file.
 */
export function loadPipelineDocument(
  document: PipelineDocument,
  options: Resolution & { dir?: string },
): LoadedPipeline {
  const { dir } = options;
  const place = (name: string) => (dir === undefined ? name : join(dir, name));
  const file = parseYaml(place('config.yaml'), document.config);
  const jobs = Object.keys(document.jobs)
    .sort()
    .map((name) => parseYaml(place(join('jobs', name)), document.jobs[name] as string));
  return load({ dir, folder: document.folder, file, jobs, problems: misnamed(document, place) }, options);
}

/** Files of a folder have such names; a deployed text must not get one that leads out of it. */
const FILE_NAME = /^[^./\\\p{Cc}][^/\\\p{Cc}]{0,249}\.ya?ml$/u;

function misnamed({ jobs, tests }: PipelineDocument, place: (name: string) => string): ConfigProblem[] {
  const message = 'this is no name of a file: one such as `orders.yaml` is needed';
  const folders = { jobs, 'jobs/tests': tests };
  return Object.entries(folders).flatMap(([folder, texts]) =>
    Object.keys(texts)
      .filter((name) => !FILE_NAME.test(name))
      .map((name) => ({ file: place(`${folder}/${JSON.stringify(name)}`), line: 0, col: 0, message })),
  );
}

interface PipelineFiles {
  readonly dir: string | undefined;
  readonly folder: string;
  readonly file: YamlFile;
  readonly jobs: readonly YamlFile[];
  readonly problems: readonly ConfigProblem[];
}

function load(
  { dir, folder, file, jobs: jobYamls, problems: known }: PipelineFiles,
  resolution: Resolution,
): LoadedPipeline {
  const jobs = readJobs(jobYamls);
  const problems: ConfigProblem[] = [...known, ...file.problems, ...jobs.problems];
  if (file.problems.length > 0) throw invalid(problems);

  // An empty file is a cleared pipeline.
  const content = file.content ?? {};
  const substitution = substitute(content, pipelineSchema, resolution, folder);
  const checked = validate(pipelineSchema, substitution);
  const targets = checkTargets(substitution.value, folder, substitution.written);
  const found = [
    ...substitution.problems,
    ...checked.problems,
    ...checkSources(substitution.value, substitution.written),
    // Of a value that is missing enough is said.
    ...targets.problems.filter(({ path }) => !substitution.unresolved.has(pathKey(path))),
  ];
  problems.push(...found.map((problem) => placed(file, problem)));
  if (problems.length > 0 || checked.value === undefined) throw invalid(problems);

  const pipeline: PipelineInput = checked.value;
  const notices: ConfigNotice[] = [
    ...substitution.notices.map((notice) => ({ ...placed(file, notice), level: 'warn' as const })),
    ...[...declaredNotices(content, pipelineSchema), ...pipelineNotices(pipeline)].map((notice) => ({
      ...placed(file, notice),
      level: notice.level,
    })),
  ];
  return freeze<LoadedPipeline>({
    dir,
    file: file.file,
    settings: effectiveSettings(pipeline.processors),
    sources: Object.keys(pipeline.sources ?? {}),
    tables: unique(listedTables(pipeline)),
    targets: targets.connections,
    jobs: jobs.files,
    document: redact(content, pipelineSchema) as Record<string, unknown>,
    notices: sorted(notices),
    secrets: unique([...secretsIn(substitution.value, pipelineSchema), ...keySecrets(targets.connections)]),
    files: unique([...substitution.files, ...targets.files]),
  });
}

/** A pipeline without any file: every row as a hash to the target at `url` (`redis://`, `rediss://`, `unix://`). */
export function pipelineForTarget(url: string, options: Resolution): LoadedPipeline {
  const content = { targets: { target: { connection: { url } } } };
  const { value, problems: unfilled } = substitute(content, pipelineSchema, options, '.');
  const input = connectionSchema.safeParse((value as typeof content).targets.target.connection);
  const report = (message: string) => invalid([{ file: '--target', line: 0, col: 0, message }]);
  if (unfilled[0] !== undefined) throw report(unfilled[0].message);
  if (!input.success) {
    throw report(
      'a url such as `redis://127.0.0.1:6379`, `rediss://…` or `unix:///path/to/socket` is needed; special characters in a password must be percent-encoded',
    );
  }
  const { connection, problems } = resolveConnection(input.data, { folder: '.' });
  if (connection === undefined) throw report(problems[0]?.message ?? 'the target cannot be used');
  return freeze<LoadedPipeline>({
    dir: undefined,
    file: undefined,
    settings: effectiveSettings(undefined),
    sources: [],
    tables: [],
    targets: { target: connection },
    jobs: [],
    document: redact(content, pipelineSchema) as Record<string, unknown>,
    notices: [],
    secrets: secretsIn(value, pipelineSchema),
    files: [],
  });
}

/** The default target. Throws a {@link ConfigError} when the pipeline has none: it is valid, but cannot run. */
export function requireTarget(pipeline: LoadedPipeline): TargetConnection {
  const target = pipeline.targets['target'];
  if (target !== undefined) return target;
  throw new ConfigError(
    'CONFIG_INVALID',
    'the pipeline has no target named `target`, so there is nowhere to write to',
    {
      ...(pipeline.file === undefined ? {} : { where: pipeline.file }),
      fix: `Add one:\n\n${SMALLEST_PIPELINE}`,
    },
  );
}

function readPipelineFile(dir: string): YamlFile {
  const file = join(dir, 'config.yaml');
  try {
    return readYamlFile(file);
  } catch (error) {
    throw unreadable(dir, file, error as NodeJS.ErrnoException);
  }
}

function unreadable(dir: string, file: string, error: NodeJS.ErrnoException): ConfigError {
  if (error.code !== 'ENOENT' && error.code !== 'ENOTDIR') {
    return new ConfigError('CONFIG_NOT_FOUND', `${file} cannot be read: ${error.code ?? 'unknown reason'}`, {
      cause: error,
    });
  }
  const folderIsThere = statSync(dir, { throwIfNoEntry: false })?.isDirectory() === true;
  const what = folderIsThere ? `the folder ${dir} has no config.yaml` : `there is no folder ${dir}`;
  return new ConfigError('CONFIG_NOT_FOUND', what, {
    fix: `Write ${file}; the smallest valid one is:\n\n${SMALLEST_PIPELINE}`,
    cause: error,
  });
}

/** What the jobs say is checked elsewhere. */
function readJobs(yamls: readonly YamlFile[]): { files: JobFile[]; problems: ConfigProblem[] } {
  const files: JobFile[] = [];
  const problems: ConfigProblem[] = [];
  for (const yaml of yamls) {
    const { content, file: path } = yaml;
    problems.push(...yaml.problems);
    if (yaml.problems.length > 0) continue;
    if (content === null || typeof content !== 'object' || Array.isArray(content)) {
      const message = 'a job must be a map with `source`, `transform` and `output`';
      problems.push({ file: path, line: 1, col: 1, message });
      continue;
    }
    files.push({ file: path, content: content as Record<string, unknown>, locate: yaml.locate });
  }
  return { files, problems };
}

/** Paths of the YAML files of a folder; `README.md`, `*.example` and hidden files beside them are none. */
function listJobFiles(folder: string): string[] {
  const names = listFiles(folder).filter((name) => !name.startsWith('.') && /\.ya?ml$/.test(name));
  return names.map((name) => join(folder, name));
}

function listFiles(folder: string): string[] {
  try {
    return readdirSync(folder).sort();
  } catch {
    return [];
  }
}

/**
 * The texts of a pipeline folder, to be deployed.
 *
 * Throws a {@link ConfigError}: `CONFIG_NOT_FOUND` when there is no `config.yaml`, `CONFIG_INVALID` when a file is no UTF-8.
 */
export function readPipelineDocument(dir: string): PipelineDocument {
  readPipelineFile(dir);
  const problems: ConfigProblem[] = [];
  const read = (file: string): string => {
    try {
      return new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(file));
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
      problems.push({ file, line: 1, col: 1, message: 'the file is not UTF-8 text' });
      return '';
    }
  };
  const readAll = (folder: string) =>
    Object.fromEntries(listJobFiles(folder).map((file) => [basename(file), read(file)]));
  const document = {
    config: read(join(dir, 'config.yaml')),
    jobs: readAll(join(dir, 'jobs')),
    tests: readAll(join(dir, 'jobs', 'tests')),
    folder: resolve(dir),
  };
  if (problems.length > 0) throw invalid(problems);
  return document;
}

/** Names that the placeholders of a pipeline refer to; none when its `config.yaml` is no YAML. */
export function referredSecrets(document: Pick<PipelineDocument, 'config'>): string[] {
  return referredNames(parseYaml('config.yaml', document.config).content);
}

/** Private keys must not be shown either, wherever they came from. */
function keySecrets(connections: Readonly<Record<string, TargetConnection>>): string[] {
  return Object.values(connections).flatMap(({ tls }) => (tls?.key === undefined ? [] : [tls.key]));
}

/** Tables are listed as `table`, `schema.table` or `database.schema.table`. */
function listedTables({ sources = {} }: PipelineInput): string[] {
  const names = Object.values(sources).flatMap((source) => Object.keys(source.tables ?? {}));
  return names.map((name) => name.slice(name.lastIndexOf('.') + 1));
}

function unique(texts: readonly string[]): string[] {
  return [...new Set(texts)];
}
