import { isDeepStrictEqual } from 'node:util';
import { type Document, parse, parseDocument, stringify } from 'yaml';
import { maskDocument, type PipelineDocument } from '../config/index.ts';
import type { PipelineControl } from '../control/index.ts';
import { HttpError } from './api.ts';

/**
 * RDI's API takes and gives a configuration as one JSON object: `config.yaml` with the jobs as `jobs: [{name, source, …}]`. Ours is
 * texts. Both ways go through the deployed texts, secrets masked: what a client sends back unchanged keeps its text with its
 * comments, and a mask stands for the deployed value.
 */
export type ConfigJson = Readonly<Record<string, unknown>>;

type Job = Readonly<Record<string, unknown>>;

const YAML = { merge: true, logLevel: 'silent' } as const;

/** The deployed configuration with its jobs, secrets masked; empty when nothing is deployed. */
export function configOf(control: PipelineControl): ConfigJson {
  const texts = control.document === null ? null : maskDocument(control.document);
  const config = texts === null ? control.current?.pipeline.document : readMap(texts.config);
  const jobs = Object.entries(texts?.jobs ?? {}).map(([file, text]) => jobOf(file, text));
  return jobs.length === 0 ? { ...config } : { ...config, jobs };
}

/** The texts of a configuration, close to those that are deployed. Refuses with 422 what cannot become texts. */
export function documentOf(config: ConfigJson, control: PipelineControl): PipelineDocument {
  const { jobs = [], ...rest } = config;
  if (!Array.isArray(jobs) || !jobs.every(isMap)) {
    throw invalid('jobs must be a list of objects with name, source, transform and output.');
  }
  const texts = control.document === null ? null : maskDocument(control.document);
  return {
    config: rewrite(texts?.config ?? '', rest),
    jobs: jobTexts(jobs, texts?.jobs ?? {}),
    tests: texts?.tests ?? {},
    folder: texts?.folder ?? process.cwd(),
  };
}

/** RFC 7396, but a whole section cannot be removed: RDI refuses that, too. */
export function mergeConfig(config: ConfigJson, patch: ConfigJson): ConfigJson {
  const removed = Object.entries(patch).flatMap(([section, value]) => (value === null ? [section] : []));
  if (removed.length > 0) {
    throw invalid(`The section ${removed.join(', ')} cannot be removed as a whole; set its entries to null.`);
  }
  return mergePatch(config, patch) as ConfigJson;
}

/** RFC 7396: members of `patch` replace those of `target`, null removes them. */
export function mergePatch(target: unknown, patch: unknown): unknown {
  if (!isMap(patch)) return patch;
  const merged = new Map(Object.entries(isMap(target) ? target : {}));
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) merged.delete(name);
    else merged.set(name, mergePatch(merged.get(name), value));
  }
  return Object.fromEntries(merged);
}

export function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return value !== null && typeof value === 'object' && !Array.isArray(value);
}

function invalid(message: string): HttpError {
  return new HttpError(422, message, [{ code: 'validation_error', message }]);
}

function jobOf(file: string, text: string): Job {
  const content = readMap(text);
  return { ...content, name: content['name'] ?? stemOf(file) };
}

function stemOf(file: string): string {
  return file.replace(/\.ya?ml$/, '');
}

function readMap(text: string): ConfigJson {
  try {
    const content: unknown = parse(text, YAML);
    return isMap(content) ? content : {};
  } catch {
    return {};
  }
}

/** A file per job: the one in which a job of that name stands already, else one called like it. */
function jobTexts(jobs: readonly Job[], deployed: Readonly<Record<string, string>>): Record<string, string> {
  const fileOf = new Map(Object.entries(deployed).map(([file, text]) => [String(jobOf(file, text)['name']), file]));
  const texts = new Map<string, string>();
  for (const [index, job] of jobs.entries()) {
    const { name: given, ...content } = job;
    const name = typeof given === 'string' && given !== '' ? given : `job-${index + 1}`;
    const known = fileOf.get(name);
    const file = known ?? `${name.replaceAll(/[^\w.-]+/g, '_').replace(/^\.+/, '_')}.yaml`;
    if (texts.has(file)) throw invalid(`Two jobs are called ${name}.`);
    const before = known === undefined ? '' : (deployed[known] as string);
    const isNamed = stemOf(file) !== name || readMap(before)['name'] !== undefined;
    texts.set(file, rewrite(before, isNamed ? { name, ...content } : content));
  }
  return Object.fromEntries(texts);
}

/** `text` changed where it does not say `wanted`; comments and layout of all else stay. */
function rewrite(text: string, wanted: ConfigJson): string {
  if (Object.keys(wanted).length === 0) return '';
  const before = readMap(text);
  if (isDeepStrictEqual(before, wanted)) return text;
  if (Object.keys(before).length > 0) {
    const document = parseDocument(text, YAML);
    try {
      change(document, [], before, wanted);
      const changed = document.toString({ lineWidth: 0 });
      // Aliases and merge keys share values, so that changing one place may have changed others.
      if (isDeepStrictEqual(readMap(changed), wanted)) return changed;
    } catch {
      // A value behind an alias cannot be set in place.
    }
  }
  return stringify(wanted, { lineWidth: 0 });
}

function change(document: Document, path: readonly string[], before: ConfigJson, wanted: ConfigJson): void {
  for (const name of Object.keys(before)) if (!Object.hasOwn(wanted, name)) document.deleteIn([...path, name]);
  for (const [name, value] of Object.entries(wanted)) {
    const place = [...path, name];
    const old = before[name];
    if (isDeepStrictEqual(old, value)) continue;
    if (isMap(old) && isMap(value) && Object.keys(old).length > 0) change(document, place, old, value);
    else document.setIn(place, isScalarValue(value) ? value : document.createNode(value));
  }
}

function isScalarValue(value: unknown): boolean {
  return value === null || typeof value !== 'object';
}
