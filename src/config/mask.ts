import { isScalar, parseDocument, type Scalar, visit } from 'yaml';
import type { z } from 'zod';
import { memberSchema } from './declare.ts';
import { pipelineSchema } from './schema-pipeline.ts';
import { HIDDEN, redact } from './secrets.ts';
import type { PipelineDocument } from './types.ts';

/** A stretch of a YAML text that is put in place of another one. */
interface Replacement {
  readonly from: number;
  readonly to: number;
  readonly text: string;
}

/** The texts with every secret that is written out in `config.yaml` replaced by `********`; comments and layout stay. */
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

/** Every single value of a YAML text with its place; none when the text is not YAML. */
function scalarsOf(text: string): WrittenScalar[] {
  const found: WrittenScalar[] = [];
  const document = parseDocument(text, { logLevel: 'silent' });
  if (document.errors.length > 0) return found;
  const content: unknown = document.toJS();
  visit(document, {
    Scalar(key, node, ancestors) {
      const range = node.range;
      if (key === 'key' || !range) return;
      const path = ancestors.flatMap((ancestor, i) => stepOf(ancestor, ancestors[i + 1] ?? node));
      found.push({ path, schema: schemaAt(path, content), value: node.value, from: range[0], to: range[1] });
    },
  });
  return found;
}

/** The name or index under which `child` stands in a node of the tree; nothing for nodes that are no step of a path. */
function stepOf(ancestor: unknown, child: unknown): string[] {
  const { items } = ancestor as { items?: unknown[] };
  if (Array.isArray(items) && !isPair(child)) return [String(items.indexOf(child))];
  if (!isPair(ancestor)) return [];
  return [isScalar(ancestor.key) ? String((ancestor.key as Scalar).value) : String(ancestor.key)];
}

function isPair(node: unknown): node is { key: unknown; value: unknown } {
  return node !== null && typeof node === 'object' && 'key' in node && 'value' in node && !isScalar(node);
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
  for (const { from, to, text: inserted } of replacements.toSorted((a, b) => b.from - a.from)) {
    result = result.slice(0, from) + inserted + result.slice(to);
  }
  return result;
}
