import {
  ANY,
  ARRAY,
  type Evaluate,
  type FunctionRule,
  NOT_NULL,
  NULL,
  OBJECT,
  REFERENCE,
  refuse,
  TEXT,
} from './jmespath-call.ts';
import { prepareFilterEntries } from './jmespath-filter-entries.ts';
import type { JobObject, JobValue } from './types.ts';
import { compactJson, isEqual, typeOf } from './values.ts';

const X = { name: 'x', accepts: ANY };
const SOME_OBJECT = { name: 'object', accepts: OBJECT };
const SOME_ARRAY = { name: 'array', accepts: ARRAY };

/** Functions of arrays, objects and any values. */
export const COLLECTION_FUNCTIONS: readonly FunctionRule[] = [
  {
    name: 'contains',
    parameters: [
      { name: 'x', accepts: TEXT | ARRAY },
      { name: 'y', accepts: ANY },
    ],
    summary: 'True when a text holds another, or an array an equal element.',
    run: (x, y, _c, call) => {
      if (Array.isArray(x)) return x.some((element) => isEqual(element, y));
      if (typeof y === 'string') return (x as string).includes(y);
      return refuse(call, 1, 'must be text to be found in text', `Write to_string(${call.args[1]!.text})`);
    },
  },
  {
    name: 'in',
    parameters: [X, SOME_ARRAY],
    summary: 'True when a value equals an element of an array; numbers and text are never equal.',
    run: (x, array) => (array as JobValue[]).some((element) => isEqual(element, x)),
  },
  {
    name: 'keys',
    parameters: [SOME_OBJECT],
    summary: 'The names of an object, in order.',
    run: (object) => [...(object as JobObject).keys()],
  },
  {
    name: 'values',
    parameters: [SOME_OBJECT],
    summary: 'The values of an object, in order.',
    run: (object) => [...(object as JobObject).values()],
  },
  {
    name: 'length',
    parameters: [{ name: 'x', accepts: TEXT | ARRAY | OBJECT }],
    summary: 'The number of characters, elements or members.',
    run: (x) => (typeof x === 'string' ? countCharacters(x) : Array.isArray(x) ? x.length : (x as JobObject).size),
  },
  {
    name: 'map',
    parameters: [{ name: 'expression', accepts: REFERENCE }, SOME_ARRAY],
    summary: 'The results of an expression for every element; null results stay.',
    run: (_a, array, _c, { reference }) => (array as JobValue[]).map(reference as Evaluate),
  },
  {
    name: 'merge',
    parameters: [SOME_OBJECT, { name: 'more', accepts: OBJECT, isOptional: true, isRest: true }],
    summary: 'One object with the members of all; later ones win.',
    runAll: (objects) => {
      const merged: JobObject = new Map();
      for (const object of objects) for (const [name, value] of object as JobObject) merged.set(name, value);
      return merged;
    },
  },
  {
    name: 'not_null',
    parameters: [X, { name: 'more', accepts: ANY, isOptional: true, isRest: true }],
    summary: 'The first argument that is not null.',
    runAll: (values) => values.find((value) => value !== null) ?? null,
  },
  {
    name: 'reverse',
    parameters: [{ name: 'x', accepts: TEXT | ARRAY }],
    summary: 'The elements of an array or the characters of a text in opposite order.',
    run: (x) => (Array.isArray(x) ? x.toReversed() : [...(x as string)].reverse().join('')),
  },
  {
    name: 'to_array',
    parameters: [X],
    summary: 'An array as it is, any other value as the only element of one.',
    run: (x) => (Array.isArray(x) ? x : [x]),
  },
  {
    name: 'to_string',
    parameters: [X],
    summary: 'Text as it is, any other value as compact JSON.',
    run: (x, _b, _c, call) => {
      if (x === null && call.strictText) refuse(call, 0, 'is null, and strict keys have no place for it', NOT_NULL);
      return typeof x === 'string' ? x : compactJson(x);
    },
  },
  { name: 'type', parameters: [X], summary: 'string, number, boolean, array, object or null.', run: typeOf },
  {
    name: 'to_entries',
    parameters: [{ name: 'object', accepts: OBJECT | NULL }],
    summary: 'An array with {key, value} for every member of an object.',
    run: (object) => (object === null ? null : [...(object as JobObject)].map(entryOf)),
  },
  {
    name: 'from_entries',
    parameters: [{ name: 'array', accepts: ARRAY | NULL }],
    summary: 'An object from an array of {key, value}; items without a key are left out.',
    run: (array, _b, _c, call) => {
      if (array === null) return null;
      return fromEntries(array as JobValue[], (type) => refuse(call, 0, `has an item whose key is ${type}, not text`));
    },
  },
  {
    name: 'filter_entries',
    parameters: [
      { name: 'object', accepts: OBJECT | NULL },
      { name: 'predicate', accepts: TEXT },
    ],
    summary: 'The members of an object for which an expression over {key, value}, given as text, is true.',
    prepare: prepareFilterEntries,
  },
];

const LOW_SURROGATES = /[\ud800-\udbff][\udc00-\udfff]/g;

function countCharacters(s: string): number {
  let count = s.length;
  LOW_SURROGATES.lastIndex = 0;
  while (LOW_SURROGATES.test(s)) count--;
  return count;
}

function entryOf([key, value]: [string, JobValue]): JobObject {
  return new Map<string, JobValue>([
    ['key', key],
    ['value', value],
  ]);
}

function fromEntries(array: readonly JobValue[], refuseKey: (type: string) => never): JobObject {
  const object: JobObject = new Map();
  for (const item of array) {
    const key = item instanceof Map ? (item.get('key') ?? null) : null;
    if (key === null) continue;
    if (typeof key === 'object') refuseKey(typeOf(key));
    object.set(typeof key === 'string' ? key : compactJson(key), (item as JobObject).get('value') ?? null);
  }
  return object;
}
