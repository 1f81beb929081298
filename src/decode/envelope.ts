import type { Row, TableIdentity, Value } from '../types.ts';
import type { Form } from './form.ts';
import { Literal } from './literal.ts';
import type { Members } from './members.ts';
import { readDocument, readUpdateDescription } from './mongo.ts';
import type { RowReader } from './row-reader.ts';
import type { Scanner } from './scanner.ts';
import { atObject, readSource, type Tables } from './table.ts';
import { EnvelopeTemplate, HOLE, type Hole, type HoleRole } from './template.ts';
import { readTree } from './tree.ts';

/** An envelope's content before its operation is judged. One object is filled again and again on the fast path. */
export interface EnvelopeParts {
  op: string;
  table: TableIdentity | null;
  before: Row | null;
  after: Row | null;
  sourceMs: number;
  /** Row of an incremental snapshot. */
  incremental: boolean;
  /** `source.snapshot` is null. */
  keepsNulls: boolean;
  /** An update of a document that came without it. */
  lacksDocument: boolean;
}

export function emptyParts(): EnvelopeParts {
  return {
    op: '',
    table: null,
    before: null,
    after: null,
    sourceMs: 0,
    incremental: false,
    keepsNulls: false,
    lacksDocument: false,
  };
}

function clear(parts: EnvelopeParts): void {
  parts.op = '';
  parts.table = null;
  parts.before = null;
  parts.after = null;
  parts.sourceMs = 0;
  parts.incremental = false;
  parts.keepsNulls = false;
  parts.lacksDocument = false;
}

/** Tables that share a stream take turns with their templates. */
const MAX_TEMPLATES = 16;

/** Reads an envelope that fits a learned template; false, with the scanner anywhere, when none fits. */
export function readKnownEnvelope(scanner: Scanner, form: Form, parts: EnvelopeParts): boolean {
  const { templates } = form;
  const start = scanner.at;
  for (let i = 0; i < templates.length; i++) {
    const template = templates[i]!;
    scanner.at = start;
    if (!fits(scanner, template, form.rows, parts)) continue;
    if (i > 0) {
      templates.splice(i, 1);
      templates.unshift(template);
    }
    return true;
  }
  return false;
}

function fits(scanner: Scanner, template: EnvelopeTemplate, rows: RowReader, parts: EnvelopeParts): boolean {
  const { fixed, roles } = template;
  clear(parts);
  for (let i = 0; i < roles.length; i++) {
    if (!scanner.matches(fixed[i]!) || scanner.atBlank || !fill(scanner, roles[i]!, rows, parts)) return false;
  }
  parts.table = template.table;
  return scanner.matches(fixed[roles.length]!) && scanner.at === scanner.end;
}

const STREAMING = Literal.of('"false"');
const SNAPSHOT = Literal.of('"true"');
const NULL = Literal.of('null');

function fill(scanner: Scanner, role: HoleRole, rows: RowReader, parts: EnvelopeParts): boolean {
  switch (role) {
    case HOLE.skip:
      scanner.skipValue();
      return true;
    case HOLE.before:
    case HOLE.after: {
      if (scanner.matches(NULL)) return true;
      if (!atObject(scanner)) return false;
      const row = rows.read(scanner);
      if (role === HOLE.after) parts.after = row;
      else parts.before = row;
      return true;
    }
    case HOLE.op: {
      const op = scanner.readValue();
      if (typeof op === 'string') parts.op = op;
      return parts.op.length === 1;
    }
    case HOLE.sourceMs: {
      const ms = scanner.readValue();
      parts.sourceMs = typeof ms === 'number' ? ms : 0;
      return true;
    }
    case HOLE.snapshot:
      if (!scanner.matches(STREAMING) && !scanner.matches(SNAPSHOT)) setSnapshot(parts, scanner.readValue());
      return true;
    default: {
      const impossible: never = role;
      return impossible;
    }
  }
}

function setSnapshot(parts: EnvelopeParts, snapshot: Value): void {
  parts.incremental = snapshot === 'incremental';
  parts.keepsNulls = snapshot === null;
}

/** What the general reader needs beside the event itself. */
export interface EnvelopeContext {
  readonly tables: Tables;
  /** Used when the source block names no table. */
  readonly fallbackTable: string;
  readonly internNames: (names: string[]) => readonly string[];
}

/**
 * Reads any envelope by its member names and, if its rows are objects, learns its template. `members` were read at `start`,
 * and the event ends where the scanner's bounds end.
 */
export function readEnvelope(
  scanner: Scanner,
  form: Form,
  members: Members,
  start: number,
  context: EnvelopeContext,
): EnvelopeParts {
  const parts = emptyParts();
  members.enter('source');
  const source = readSource(scanner, context.tables, context.fallbackTable);
  parts.op = members.text('op') ?? '';
  parts.table = source.table;
  parts.sourceMs = source.ms;
  setSnapshot(parts, source.snapshot);
  parts.before = readState(scanner, form, members, 'before', context);
  parts.after = readState(scanner, form, members, 'after', context);
  if (
    parts.op === 'u' &&
    parts.after === null &&
    (source.table.connector === 'mongodb' || members.has('updateDescription'))
  ) {
    parts.lacksDocument = true;
    if (members.enter('updateDescription')) parts.after = readUpdateDescription(readTree(scanner), context.internNames);
  }
  if (source.table.connector !== 'mongodb') learn(scanner, form, members, start, source.holes, source.table);
  return parts;
}

/** `before` or `after`: an object, or a document as text. */
function readState(scanner: Scanner, form: Form, members: Members, name: string, context: EnvelopeContext): Row | null {
  if (!members.enter(name)) return null;
  if (atObject(scanner)) return form.rows.read(scanner);
  const text = members.text(name);
  return text === null ? null : readDocument(text, context.internNames);
}

const ROLES: ReadonlyMap<string, HoleRole> = new Map<string, HoleRole>([
  ['before', HOLE.before],
  ['after', HOLE.after],
  ['op', HOLE.op],
]);

function learn(
  scanner: Scanner,
  form: Form,
  members: Members,
  start: number,
  sourceHoles: readonly Hole[],
  table: TableIdentity,
): void {
  const holes: Hole[] = [...sourceHoles];
  for (const name of members.names) {
    if (name !== 'source') holes.push({ role: ROLES.get(name) ?? HOLE.skip, ...members.place(name)! });
  }
  form.templates.unshift(new EnvelopeTemplate(scanner.bytes, start, scanner.end, holes, table));
  if (form.templates.length > MAX_TEMPLATES) form.templates.pop();
}
