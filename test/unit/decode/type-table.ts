/** A column type with its schema and, per literal on the wire, the value without and with that schema. */
export interface TypeRow {
  readonly column: string;
  readonly schema: Readonly<Record<string, unknown>>;
  readonly cases: readonly TypeCase[];
}

/** JSON literal, raw value, converted value. */
export type TypeCase = readonly [literal: string, raw: unknown, converted: unknown];

/** Stands for a column that is left out of the row. */
export const DROPPED = 'column is left out';

/** A number whose written digits survive. */
export const digits = (text: string) => ({ number: text });
export const json = (text: string) => ({ json: text });

/** Literals that mean the same with and without schema; what they are follows from JSON. */
export function same(...literals: string[]): TypeCase[] {
  return literals.map((literal) => {
    const value: unknown = /^[[{]/.test(literal) ? json(literal) : JSON.parse(literal);
    const kept = typeof value === 'number' && String(value) !== literal ? digits(literal) : value;
    return [literal, kept, kept];
  });
}

/** Number literals that a schema turns into another value. */
export function numbers(...cases: [literal: string, converted: unknown][]): TypeCase[] {
  return cases.map(([literal, converted]) => [literal, same(literal)[0]![1], converted]);
}

/** String literals that a schema turns into another value. */
export function texts(...cases: [text: string, converted: unknown][]): TypeCase[] {
  return cases.map(([text, converted]) => [JSON.stringify(text), text, converted]);
}

export const DEBEZIUM = 'io.debezium.';
export const CONNECT = 'org.apache.kafka.connect.data.';

export function decimal(scale: number) {
  return { type: 'bytes', name: `${CONNECT}Decimal`, version: 1, parameters: { scale: String(scale) } };
}

export function named(type: string, name: string, more: object = {}) {
  return { type, name, version: 1, ...more };
}
