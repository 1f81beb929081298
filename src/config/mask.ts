import { isAlias, isMap, isScalar, isSeq, parseDocument } from 'yaml';
import type { z } from 'zod';
import { memberSchema } from './declare.ts';
import { pipelineSchema } from './schema-pipeline.ts';
import { HIDDEN, redact } from './secrets.ts';
import type { PipelineDocument } from './types.ts';
import { parseYaml } from './yaml-file.ts';

/** A stretch of a YAML text that is put in place of another one. */
interface Replacement {
  readonly from: number;
  readonly to: number;
  readonly text: string;
}

/**
 * The texts with every secret that is written out in `config.yaml` replaced by `********`; comments and layout stay. In a text that is
 * no YAML nothing is found, see {@link isMaskable}.
 */
export function maskDocument(document: PipelineDocument): PipelineDocument {
  const replacements: Replacement[] = [];
  for (const { path, schema, from, to, value } of scalarsOf(document.config)) {
    const shown = redact(value, schema, path);
    if (shown !== value) replacements.push({ from, to, text: JSON.stringify(shown) });
  }
  return { ...document, config: replace(document.config, replacements) };
}

/** The texts with every mask of a secret in `config.yaml` replaced by what `deployed` has at the same place. */
export function unmaskDocument(document: PipelineDocument, deployed: PipelineDocument | null): PipelineDocument {
  if (deployed === null || !document.config.includes(HIDDEN)) return document;
  const known = new Map(scalarsOf(deployed.config).map((scalar) => [JSON.stringify(scalar.path), scalar]));
  const replacements: Replacement[] = [];
  for (const { path, from, to, value } of scalarsOf(document.config)) {
    const before = known.get(JSON.stringify(path));
    if (before === undefined || !String(value).includes(HIDDEN)) continue;
    // Only where the rest is what the mask was shown with: a changed URL has another password.
    if (redact(before.value, before.schema, path) !== value) continue;
    replacements.push({ from, to, text: JSON.stringify(before.value) });
  }
  return { ...document, config: replace(document.config, replacements) };
}

interface WrittenScalar {
  readonly path: readonly string[];
  readonly schema: z.ZodType | undefined;
  readonly value: unknown;
  /** Offsets of its text. */
  readonly from: number;
  readonly to: number;
}

/** Whether the secrets of a text can be told from the rest, so that {@link maskDocument} hides them. */
export function isMaskable(config: string): boolean {
  return parseYaml('config.yaml', config).problems.length === 0;
}

/** Every single value of a YAML text with its place, through aliases, too; none when the text is not YAML. */
function scalarsOf(text: string): WrittenScalar[] {
  const { content, problems } = parseYaml('config.yaml', text);
  if (problems.length > 0) return [];
  const found: WrittenScalar[] = [];
  const document = parseDocument(text, { logLevel: 'silent' });
  const walk = (written: unknown, path: readonly string[]): void => {
    const node = isAlias(written) ? written.resolve(document) : written;
    if (isSeq(node)) {
      for (const [index, item] of node.items.entries()) walk(item, [...path, String(index)]);
    } else if (isMap(node)) {
      for (const { key, value } of node.items) {
        const name = String(isScalar(key) ? key.value : key);
        // What is merged stands where it is merged into.
        if (name === '<<') for (const base of isSeq(value) ? value.items : [value]) walk(base, path);
        else walk(value, [...path, name]);
      }
    } else if (isScalar(node) && node.range) {
      const [from, to] = node.range;
      // The end of the line behind a block (`|`) belongs to its text.
      const length = text.slice(from, to).trimEnd().length;
      found.push({ path, schema: schemaAt(path, content), value: node.value, from, to: from + length });
    }
  };
  walk(document.contents, []);
  return found;
}

function schemaAt(path: readonly string[], content: unknown): z.ZodType | undefined {
  let schema: z.ZodType | undefined = pipelineSchema;
  let value = content;
  for (const key of path) {
    schema = schema === undefined ? undefined : memberSchema(schema, key, value);
    value = (value as Readonly<Record<string, unknown>> | null | undefined)?.[key];
  }
  return schema;
}

function replace(text: string, replacements: readonly Replacement[]): string {
  let result = text;
  // Several places may stand for one text.
  const once = [...new Map(replacements.map((replacement) => [replacement.from, replacement])).values()];
  for (const { from, to, text: inserted } of once.toSorted((a, b) => b.from - a.from)) {
    result = result.slice(0, from) + inserted + result.slice(to);
  }
  return result;
}
