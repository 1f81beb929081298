import { JsonText, NumberText, UNAVAILABLE, type Value } from '../types.ts';
import { decimalFromBase64 } from './numbers.ts';
import { BadValue, excerpt } from './problem.ts';
import type { ConnectSchema } from './schema.ts';
import { Beyond, epochMsOfDays, epochMsOfUnits, epochMsOfZoned, secondsOfUnits, secondsOfZonedTime } from './times.ts';
import { encodeTree, JsonObject, parseTree, type Tree, valueOfTree } from './tree.ts';

/** Turns the literal of the wire into the value that the row shows. Never called with null or {@link UNAVAILABLE}. */
export type Convert = (value: Value) => Value;

const VARIABLE_SCALE_DECIMAL = 'io.debezium.data.VariableScaleDecimal';

/** Types that have no rendering in Redis; their columns are left out (RDI's table of types). */
const DROPPED: ReadonlySet<string> = new Set([
  'io.debezium.data.Bits',
  'io.debezium.time.MicroDuration',
  'io.debezium.time.NanoDuration',
  'io.debezium.time.Interval',
]);

type TimeConvert = (value: Value) => number | NumberText | Beyond;

/** Semantic types that name a point in time: epoch ms. */
const EPOCHS: ReadonlyMap<string, TimeConvert> = new Map<string, TimeConvert>([
  ['io.debezium.time.Date', epochMsOfDays],
  ['org.apache.kafka.connect.data.Date', epochMsOfDays],
  ['io.debezium.time.Timestamp', (value) => epochMsOfUnits(value, 0)],
  ['org.apache.kafka.connect.data.Timestamp', (value) => epochMsOfUnits(value, 0)],
  ['io.debezium.time.MicroTimestamp', (value) => epochMsOfUnits(value, 3)],
  ['io.debezium.time.NanoTimestamp', (value) => epochMsOfUnits(value, 6)],
  ['io.debezium.time.ZonedTimestamp', epochMsOfZoned],
]);

/** Semantic types that name a time of day: seconds. */
const CLOCKS: ReadonlyMap<string, Convert> = new Map<string, Convert>([
  ['io.debezium.time.Time', (value) => secondsOfUnits(value, 3)],
  ['org.apache.kafka.connect.data.Time', (value) => secondsOfUnits(value, 3)],
  ['io.debezium.time.MicroTime', (value) => secondsOfUnits(value, 6)],
  ['io.debezium.time.NanoTime', (value) => secondsOfUnits(value, 9)],
  ['io.debezium.time.ZonedTime', secondsOfZonedTime],
]);

/** Whether a column of this type is left out; an array of such values too. */
export function isDropped(schema: ConnectSchema): boolean {
  return DROPPED.has(schema.name) || (schema.items !== null && isDropped(schema.items));
}

/**
 * Compiles the conversion that a schema asks for; null when the literal stays as it is.
 * `onBeyond` is called with each point in time that no calendar has (a database's infinity); its literal passes as text.
 * The conversion throws `BadValue` when a literal does not fit its type.
 */
export function compileConvert(schema: ConnectSchema, onBeyond: (literal: string) => void): Convert | null {
  if (schema.items === null && schema.values === null && schema.fields.size === 0) return leafConvert(schema, onBeyond);
  const convertTree = compileTree(schema, onBeyond);
  if (convertTree === null) return null;
  return (value) => {
    if (!(value instanceof JsonText)) throw new BadValue(`an array or object is due, not ${describe(value)}`);
    return valueOfTree(convertTree(parseTree(value.text)));
  };
}

function leafConvert(schema: ConnectSchema, onBeyond: (literal: string) => void): Convert | null {
  const { name } = schema;
  const epoch = EPOCHS.get(name);
  if (epoch !== undefined) {
    return (value) => {
      const ms = epoch(value);
      if (!(ms instanceof Beyond)) return ms;
      onBeyond(ms.text);
      return ms.text;
    };
  }
  if (name === 'org.apache.kafka.connect.data.Decimal') return decimalConvert(schema);
  if (name === 'io.debezium.data.Json') return jsonConvert;
  return CLOCKS.get(name) ?? null;
}

/** Connect writes decimals as base64, or as numbers with `decimal.format=NUMERIC`. */
function decimalConvert(schema: ConnectSchema): Convert {
  const scale = Number(schema.parameters.get('scale'));
  return (value) => {
    if (typeof value === 'number' || value instanceof NumberText) return value;
    if (typeof value !== 'string') throw new BadValue(`a decimal is due, not ${describe(value)}`);
    if (!Number.isInteger(scale)) throw new BadValue('the schema of a decimal names no scale');
    return decimalFromBase64(value, scale);
  };
}

/** The text is kept byte for byte: a round trip through values would change digits and blanks. */
const jsonConvert: Convert = (value) => {
  if (typeof value !== 'string') return value;
  try {
    JSON.parse(value);
  } catch {
    // A JSON document with this inside would be refused as a whole; as text at least nothing is lost.
    return value;
  }
  return new JsonText(value);
};

type ConvertTree = (tree: Tree) => Tree;

function compileTree(schema: ConnectSchema, onBeyond: (literal: string) => void): ConvertTree | null {
  if (schema.name === VARIABLE_SCALE_DECIMAL) return variableScaleDecimal;
  if (schema.items !== null) {
    const item = compileTree(schema.items, onBeyond);
    return item && ((tree) => (Array.isArray(tree) ? tree.map((element) => convertOrNull(element, item)) : tree));
  }
  if (schema.values !== null) {
    const value = compileTree(schema.values, onBeyond);
    return value && ((tree) => mapMembers(tree, () => value));
  }
  if (schema.fields.size > 0) {
    const fields = new Map<string, ConvertTree>();
    for (const [name, field] of schema.fields) {
      const convert = compileTree(field, onBeyond);
      if (convert !== null) fields.set(name, convert);
    }
    return fields.size === 0 ? null : (tree) => mapMembers(tree, (name) => fields.get(name) ?? null);
  }
  const leaf = leafConvert(schema, onBeyond);
  return (
    leaf && ((tree) => leaf(Array.isArray(tree) || tree instanceof JsonObject ? new JsonText(encodeTree(tree)) : tree))
  );
}

function convertOrNull(tree: Tree, convert: ConvertTree): Tree {
  return tree === null || tree === UNAVAILABLE ? tree : convert(tree);
}

function mapMembers(tree: Tree, convertOf: (name: string) => ConvertTree | null): Tree {
  if (!(tree instanceof JsonObject)) return tree;
  const members = new Map<string, Tree>();
  for (const [name, value] of tree.members) {
    const convert = convertOf(name);
    members.set(name, convert === null ? value : convertOrNull(value, convert));
  }
  return new JsonObject(members);
}

/** `{"scale":9,"value":"…"}`: a numeric without declared scale brings its own. */
const variableScaleDecimal: ConvertTree = (tree) => {
  const scale = tree instanceof JsonObject ? tree.members.get('scale') : undefined;
  const value = tree instanceof JsonObject ? tree.members.get('value') : undefined;
  if (typeof scale !== 'number' || !Number.isInteger(scale)) throw new BadValue('a decimal with its own scale is due');
  if (typeof value === 'number' || value instanceof NumberText) return value;
  if (typeof value !== 'string') throw new BadValue('a decimal with its own scale is due');
  return decimalFromBase64(value, scale);
};

function describe(value: Value): string {
  if (typeof value === 'string') return `"${excerpt(value)}"`;
  if (value instanceof JsonText || value instanceof NumberText) return excerpt(value.text);
  return String(value);
}
