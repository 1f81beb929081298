/** The two parts of the JSON source text access proposal (ECMAScript 2026; V8 12) that the type library lacks. */
interface ExactJson {
  parse(text: string, reviver: (name: string, value: unknown, context: { source?: string }) => unknown): unknown;
  rawJSON(text: string): unknown;
}

const exact = JSON as unknown as ExactJson;

/** Parses JSON so that `JSON.stringify` writes every number with the digits it had. Throws `SyntaxError`. */
export function parseKeepingDigits(text: string): unknown {
  return exact.parse(text, (_name, value, { source }) =>
    typeof value === 'number' && source !== undefined ? exact.rawJSON(source) : value,
  );
}
