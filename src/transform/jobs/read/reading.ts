import type { CompiledExpression, FieldPath, JobContext } from '../definition.ts';
import { formatFieldPath, parseFieldPath } from './field-path.ts';
import type { FieldsInReach } from './fields.ts';
import type { Findings, Path, Section } from './section.ts';

/** What the readers of one file share. */
export interface Reading {
  readonly findings: Findings;
  readonly context: JobContext;
  readonly isFull: boolean;
  readonly strictKeys: boolean;
  /** Which fields a record can have at the place that is read now. */
  readonly fields: FieldsInReach;
}

/** The path at a key; null after a problem. */
export function readFieldPath(section: Section, key: string): FieldPath | null {
  const text = section.text(key);
  if (text === null) return null;
  const path = parseFieldPath(text);
  return path ?? section.problem(key, `${section.name(key)} is no field path: between two dots a name is missing`);
}

/** The name under `targets` at a key, `target` when none is written; null after a problem. */
export function readConnection(section: Section, context: JobContext): string | null {
  const known = context.connections;
  const name = section.has('connection') ? section.text('connection') : 'target';
  // Without any target the pipeline cannot run at all, which is said once for all jobs elsewhere.
  const isImplied = !section.has('connection') && known.length === 0;
  if (name === null || isImplied || known.includes(name)) return name;
  const others = known.length === 0 ? 'none' : known.map((id) => `\`${id}\``).join(', ');
  const what = section.has('connection') ? `there is no target \`${name}\`` : 'without `connection` it needs `target`';
  return section.problem(
    section.has('connection') ? 'connection' : null,
    `${what}; \`targets\` in config.yaml has ${others}`,
  );
}

/** Warns of every field that an expression reads and no record can have here. */
export function warnOfUnreachable(
  reading: Reading,
  section: Section,
  path: Path,
  expression: CompiledExpression | null,
): void {
  if (expression === null) return;
  warnOfWords(reading, section, path, expression);
  for (const { name, why } of reading.fields.unreachable(expression)) {
    reading.findings.notice('warn', path, section.told(`it reads \`${name}\`, which is always null here: ${why}`));
  }
}

/** Without back quotes these are names of fields, and comparing with them works only by chance. */
const LITERALS: readonly string[] = ['null', 'true', 'false'];

function warnOfWords(reading: Reading, section: Section, path: Path, { reads, language }: CompiledExpression): void {
  if (language === 'sql') return;
  for (const word of LITERALS) {
    if (reads?.includes(word) !== true) continue;
    const message = `it reads a field with the name \`${word}\`; the value ${word} is written in back quotes`;
    reading.findings.notice('warn', path, section.told(message));
  }
}

/** The same for a column that is named and not read by an expression. In full format columns are those of `after`. */
export function warnOfUnreachableColumn(reading: Reading, section: Section, path: Path, column: FieldPath): void {
  if (reading.isFull) return;
  const why = reading.fields.whyUnreachable(column[0]!, false);
  if (why === null) return;
  const name = formatFieldPath(column);
  reading.findings.notice('warn', path, section.told(`it names \`${name}\`, which is always null here: ${why}`));
}
