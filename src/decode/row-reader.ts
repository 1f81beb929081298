import { JsonText, type Row, UNAVAILABLE, type Value } from '../types.ts';
import type { Convert } from './convert.ts';
import { BRACE } from './json-bytes.ts';
import { Literal } from './literal.ts';
import { BadValue, DecodeProblem } from './problem.ts';
import type { Scanner } from './scanner.ts';
import type { Placeholders } from './unavailable.ts';

/** What to do with a column of the wire. */
export interface ColumnRule {
  /** `take` it into the row, `drop` it, or put it into {@link RowReader.metadata} under its slot. */
  readonly fate: 'take' | 'drop' | 'metadata';
  readonly convert: Convert | null;
}

export const TAKE: ColumnRule = { fate: 'take', convert: null };

/** What a row reader asks of its surroundings; one object per stream. */
export interface RowContext {
  readonly placeholders: Placeholders;
  /** One shared array for equal lists of names. */
  internNames(names: string[]): readonly string[];
  ruleOf(column: string): ColumnRule;
  /** Called when a new shape shows a column that will be left out. */
  dropped(column: string): void;
  /** Called for each array or object in a column without conversion. */
  nested(column: string, json: JsonText): void;
}

/** Column names in the order of the wire, as bytes to compare the next row with. */
interface Shape {
  /** `{"id":` for the first, `,"name":` for the others. */
  readonly prefixes: readonly Literal[];
  readonly wireNames: readonly string[];
  readonly rules: readonly ColumnRule[];
  readonly names: readonly string[];
}

/** Tables that share a stream, and rows before and after an `alter table`, take turns; more shapes than this thrash. */
const MAX_SHAPES = 8;

/**
 * Reads JSON objects as rows. Rows of a table look alike, so it remembers the member names of the last ones and, instead of
 * making a string of each name, compares bytes. A row with unknown names is read name by name and remembered.
 */
export class RowReader {
  /** Values of the last row's `metadata` columns, by column name. Valid until the next row is read. */
  readonly metadata = new Map<string, Value>();
  readonly #context: RowContext;
  /** Most recently matched first. */
  readonly #shapes: Shape[] = [];
  #column = 0;

  constructor(context: RowContext) {
    this.#context = context;
  }

  /** Reads the object at the scanner's position. `learn` false: remember nothing of it. */
  read(scanner: Scanner, learn = true): Row {
    return this.readKnown(scanner) ?? this.#readNew(scanner, learn);
  }

  /** Like {@link read}, but answers null, with the scanner where it was, when the names are not those of a learned row. */
  readKnown(scanner: Scanner): Row | null {
    const start = scanner.at;
    for (let i = 0; i < this.#shapes.length; i++) {
      const shape = this.#shapes[i]!;
      const row = this.#readShape(scanner, shape);
      if (row !== null) {
        if (i > 0) {
          this.#shapes.splice(i, 1);
          this.#shapes.unshift(shape);
        }
        return row;
      }
      scanner.at = start;
    }
    return null;
  }

  #readShape(scanner: Scanner, shape: Shape): Row | null {
    const { prefixes, rules } = shape;
    const values: Value[] = [];
    let partial = false;
    if (this.metadata.size > 0) this.metadata.clear();
    try {
      for (let i = 0; i < prefixes.length; i++) {
        if (!scanner.matches(prefixes[i]!) || scanner.atBlank) return null;
        const rule = rules[i]!;
        this.#column = i;
        if (rule.fate === 'drop') {
          scanner.skipValue();
          continue;
        }
        const value = this.#convert(scanner.readValue(), rule, shape.wireNames, i);
        if (value === UNAVAILABLE) partial = true;
        if (rule.fate === 'take') values.push(value);
        else this.metadata.set(shape.wireNames[i]!, value);
      }
    } catch (error) {
      throw badColumn(error, shape.wireNames[this.#column]);
    }
    if (scanner.bytes[scanner.at] !== BRACE.close) return null;
    scanner.at++;
    return { names: shape.names, values, partial };
  }

  #convert(value: Value, rule: ColumnRule, wireNames: readonly string[], index: number): Value {
    if (value === null) return null;
    if (typeof value === 'string') {
      const screened = this.#context.placeholders.screenText(value);
      if (screened === UNAVAILABLE) return UNAVAILABLE;
    } else if (value instanceof JsonText) {
      const screened = this.#context.placeholders.screenNested(value);
      if (screened === UNAVAILABLE) return UNAVAILABLE;
      if (rule.convert === null) this.#context.nested(wireNames[index]!, value);
    }
    return rule.convert === null ? value : rule.convert(value);
  }

  #readNew(scanner: Scanner, learn: boolean): Row {
    const wireNames: string[] = [];
    const wireValues: Value[] = [];
    const places = new Map<string, number>();
    const rules: ColumnRule[] = [];
    const prefixes: Literal[] = [];
    this.metadata.clear();
    let prefixStart = scanner.at;
    let more = scanner.opens(BRACE.open, BRACE.close);
    while (more) {
      const name = scanner.readName();
      prefixes.push(new Literal(scanner.bytes, prefixStart, scanner.at));
      // As in JSON.parse, the last of two members with one name counts.
      const known = places.get(name);
      const place = known ?? wireNames.length;
      if (known === undefined) {
        places.set(name, place);
        wireNames.push(name);
        rules.push(this.#context.ruleOf(name));
      }
      try {
        const rule = rules[place]!;
        if (rule.fate === 'drop') scanner.skipValue();
        else wireValues[place] = this.#convert(scanner.readValue(), rule, wireNames, place);
      } catch (error) {
        throw badColumn(error, name);
      }
      scanner.skipBlanks();
      prefixStart = scanner.at;
      more = scanner.readsOn(BRACE.close);
    }
    return this.#row(wireNames, wireValues, rules, learn && prefixes.length === wireNames.length ? prefixes : null);
  }

  #row(wireNames: string[], wireValues: Value[], rules: ColumnRule[], prefixes: Literal[] | null): Row {
    const values: Value[] = [];
    const taken: string[] = [];
    for (const [place, name] of wireNames.entries()) {
      const { fate } = rules[place]!;
      if (fate === 'take') {
        taken.push(name);
        values.push(wireValues[place]!);
      } else if (fate === 'metadata') this.metadata.set(name, wireValues[place]!);
      else this.#context.dropped(name);
    }
    const names = this.#context.internNames(taken);
    if (prefixes !== null && prefixes.length > 0) {
      this.#shapes.unshift({ prefixes, wireNames, rules, names });
      if (this.#shapes.length > MAX_SHAPES) this.#shapes.pop();
    }
    return { names, values, partial: values.includes(UNAVAILABLE) };
  }
}

function badColumn(error: unknown, column: string | undefined): unknown {
  if (!(error instanceof BadValue)) return error;
  return new DecodeProblem(
    'DECODE_BAD_VALUE',
    `column "${column}": ${error.message}`,
    'Check the transforms and converters that the feeder applies to this column',
  );
}
