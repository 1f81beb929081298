import { DecodeProblem } from './problem.ts';

/** Connect types as the JSON converter names them; also the proof that `{"schema":…,"payload":…}` is a wrapper. */
const CONNECT_TYPES: ReadonlySet<string> = new Set([
  'struct',
  'array',
  'map',
  'string',
  'bytes',
  'boolean',
  'int8',
  'int16',
  'int32',
  'int64',
  'float',
  'double',
]);

/** A schema as Kafka Connect's JSON converter writes it, reduced to what decides about values. */
export interface ConnectSchema {
  readonly type: string;
  readonly optional: boolean;
  /** Semantic type, for example `io.debezium.time.Date`; empty when there is none. */
  readonly name: string;
  readonly hasDefault: boolean;
  readonly parameters: ReadonlyMap<string, string>;
  readonly fields: ReadonlyMap<string, ConnectSchema>;
  readonly items: ConnectSchema | null;
  /** Values of a map. */
  readonly values: ConnectSchema | null;
}

const MAX_DEPTH = 100;

/** Whether a parsed `schema` member is one of Connect's, as opposed to a column that happens to be called so. */
export function isConnectSchema(value: unknown): boolean {
  return isObject(value) && typeof value['type'] === 'string' && CONNECT_TYPES.has(value['type']);
}

/** @throws DecodeProblem when some part of the schema is not a Connect schema. */
export function parseSchema(value: unknown, depth = 0): ConnectSchema {
  if (!isObject(value) || !isConnectSchema(value) || depth > MAX_DEPTH) {
    throw new DecodeProblem(
      'DECODE_UNKNOWN_EVENT',
      'the schema is not one that Kafka Connect’s JSON converter writes',
      'Send events in Debezium’s own JSON format',
    );
  }
  const fields = new Map<string, ConnectSchema>();
  for (const field of Array.isArray(value['fields']) ? value['fields'] : []) {
    const schema = parseSchema(field, depth + 1);
    fields.set(String((field as Record<string, unknown>)['field']), schema);
  }
  const parameters = isObject(value['parameters']) ? Object.entries(value['parameters']) : [];
  return {
    type: value['type'] as string,
    optional: value['optional'] === true,
    name: typeof value['name'] === 'string' ? value['name'] : '',
    hasDefault: value['default'] !== undefined && value['default'] !== null,
    parameters: new Map(parameters.map(([name, text]) => [name, String(text)])),
    fields,
    items: value['items'] === undefined ? null : parseSchema(value['items'], depth + 1),
    values: value['values'] === undefined ? null : parseSchema(value['values'], depth + 1),
  };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
