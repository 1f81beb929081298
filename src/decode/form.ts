import { BRACE } from './json-bytes.ts';
import { Literal } from './literal.ts';
import { Members } from './members.ts';
import { type RowContext, RowReader } from './row-reader.ts';
import type { Scanner } from './scanner.ts';
import { type ConnectSchema, isConnectSchema, parseSchema } from './schema.ts';
import type { EnvelopeTemplate } from './template.ts';

/** What a form asks of its stream. */
export interface FormContext {
  /** Context for rows whose columns have these types; null: no schema. `part` says what metadata columns mean. */
  rowContext(columns: ReadonlyMap<string, ConnectSchema> | null, part: 'key' | 'row' | 'flat'): RowContext;
  /** A value's schema was seen for the first time. */
  learned(form: Form): void;
}

const NO_COLUMNS: ReadonlyMap<string, ConnectSchema> = new Map();

/** How the payloads of one schema are read; `schema` null: events that come without. */
export class Form {
  readonly schema: ConnectSchema | null;
  /** Bytes up to the payload, the same in each event with this schema; null where they cannot be predicted. */
  readonly prefix: Uint8Array | null;
  /** Columns of `before` and `after`. */
  readonly columns: ReadonlyMap<string, ConnectSchema> | null;
  /** Reads `before` and `after`. */
  readonly rows: RowReader;
  /** Reads a payload that is itself a row. */
  readonly flat: RowReader;
  /** Most recently matched first. */
  readonly templates: EnvelopeTemplate[] = [];

  constructor(schema: ConnectSchema | null, prefix: Uint8Array | null, part: 'key' | 'value', context: FormContext) {
    this.schema = schema;
    this.prefix = prefix;
    const row = schema?.fields.get('after') ?? schema?.fields.get('before');
    this.columns = schema === null ? null : (row?.fields ?? NO_COLUMNS);
    this.rows = new RowReader(context.rowContext(this.columns, 'row'));
    this.flat = new RowReader(context.rowContext(schema?.fields ?? null, part === 'key' ? 'key' : 'flat'));
  }
}

const WRAPPER_START = Literal.of('{"schema":');

/** A stream sees a new schema with each `alter table`, and one per table that shares it. */
const MAX_FORMS = 32;

/** The forms in which one part (key, value, CloudEvents data) of one stream has come so far. */
export class Forms {
  readonly bare: Form;
  /** Most recently used first. */
  readonly #wrapped: Form[] = [];
  readonly #part: 'key' | 'value';
  readonly #context: FormContext;

  constructor(part: 'key' | 'value', context: FormContext) {
    this.#part = part;
    this.#context = context;
    this.bare = new Form(null, null, part, context);
  }

  /**
   * If the text starts with a schema that is already known, moves the scanner's bounds to what should be the payload and
   * answers the schema's form; else leaves it alone and answers the form without schema. Whoever reads on must check that
   * the payload fills the bounds, and {@link open} the text if it does not: there may be a third member.
   */
  enter(scanner: Scanner): Form {
    const { bytes, at, end } = scanner;
    if (!scanner.matches(WRAPPER_START)) return this.bare;
    scanner.at = at;
    const form = this.#known(bytes, at, end);
    if (form === null || bytes[end - 1] !== BRACE.close) return this.bare;
    scanner.at = at + form.prefix!.length;
    scanner.end = end - 1;
    return form;
  }

  #known(bytes: Buffer, at: number, end: number): Form | null {
    for (let i = 0; i < this.#wrapped.length; i++) {
      const form = this.#wrapped[i]!;
      const { length } = form.prefix!;
      if (at + length >= end || bytes.compare(form.prefix!, 0, length, at, at + length) !== 0) continue;
      if (i > 0) {
        this.#wrapped.splice(i, 1);
        this.#wrapped.unshift(form);
      }
      return form;
    }
    return null;
  }

  /**
   * If the object at the scanner's position is a `{"schema":…,"payload":…}` wrapper, moves the scanner's bounds to the payload
   * and answers the form of the schema, learning it if it is new; else leaves the scanner and answers the form without
   * schema.
   */
  open(scanner: Scanner): Form {
    const { at, end } = scanner;
    if (scanner.bytes[at] === BRACE.open && at < end) {
      const form = Forms.isWrapperLike(scanner) ? this.#unwrap(scanner, at) : null;
      if (form !== null) return form;
    }
    scanner.at = at;
    scanner.end = end;
    return this.bare;
  }

  /** True when the first member of the object here is called as one of a wrapper; leaves the scanner where it is. */
  static isWrapperLike(scanner: Scanner): boolean {
    const { at } = scanner;
    const name = scanner.opens(BRACE.open, BRACE.close) ? scanner.readName() : '';
    scanner.at = at;
    return name === 'schema' || name === 'payload';
  }

  #unwrap(scanner: Scanner, start: number): Form | null {
    const { bytes } = scanner;
    const members = new Members(scanner);
    const schemaPlace = members.place('schema');
    const payload = members.place('payload');
    if (members.names.length !== 2 || schemaPlace === null || payload === null) return null;
    const isPredictable = payload.start > schemaPlace.end && payload.end === scanner.end - 1;
    let form = isPredictable ? this.#known(bytes, start, scanner.end) : null;
    if (form === null || start + form.prefix!.length !== payload.start) {
      const schema: unknown = JSON.parse(bytes.utf8Slice(schemaPlace.start, schemaPlace.end));
      if (schema !== null && !isConnectSchema(schema)) return null;
      scanner.expectEnd();
      const prefix = isPredictable ? Buffer.from(bytes.subarray(start, payload.start)) : null;
      form = this.#learn(schema, prefix);
    }
    scanner.at = payload.start;
    scanner.end = payload.end;
    return form;
  }

  #learn(schema: unknown, prefix: Buffer | null): Form {
    const form = new Form(schema === null ? null : parseSchema(schema), prefix, this.#part, this.#context);
    if (prefix !== null) {
      this.#wrapped.unshift(form);
      if (this.#wrapped.length > MAX_FORMS) this.#wrapped.pop();
    }
    if (this.#part === 'value') this.#context.learned(form);
    return form;
  }
}
