import { ARRAY, type Call, describe, type FunctionRule, REFERENCE, refuse } from './jmespath-call.ts';
import { compareNumbers, isNumber } from './numbers.ts';
import type { JobValue } from './types.ts';
import { compareText } from './values.ts';

const ITEMS = [{ name: 'array', accepts: ARRAY }];
const ITEMS_BY = [...ITEMS, { name: 'expression', accepts: REFERENCE }];

/** Functions that put values in order; all standard. Values to compare are all text or all numbers. */
export const ORDER_FUNCTIONS: readonly FunctionRule[] = [
  {
    name: 'sort',
    parameters: ITEMS,
    summary: 'The texts or numbers of an array in ascending order.',
    run: (array, _b, _c, call) => sorted(array as JobValue[], call),
  },
  {
    name: 'sort_by',
    parameters: ITEMS_BY,
    summary: 'The elements of an array in ascending order of an expression.',
    run: (array, _b, _c, call) => {
      const ranked = rank(array as JobValue[], call);
      return ranked.elements.sort((a, b) => ranked.compare(a.by, b.by)).map(({ element }) => element);
    },
  },
  { name: 'max', parameters: ITEMS, summary: 'The greatest text or number; null for an empty array.', run: extreme(1) },
  { name: 'min', parameters: ITEMS, summary: 'The least text or number; null for an empty array.', run: extreme(-1) },
  {
    name: 'max_by',
    parameters: ITEMS_BY,
    summary: 'The element with the greatest result of an expression; null for an empty array.',
    run: extremeBy(1),
  },
  {
    name: 'min_by',
    parameters: ITEMS_BY,
    summary: 'The element with the least result of an expression; null for an empty array.',
    run: extremeBy(-1),
  },
];

type Compare = (a: JobValue, b: JobValue) => number;

/** How to compare the values; rejects the record unless all are text or all are numbers. */
function orderOf(values: readonly JobValue[], call: Call): Compare {
  const isText = typeof values[0] === 'string';
  const wrong = values.findIndex((value) => (isText ? typeof value !== 'string' : !isNumber(value)));
  if (wrong !== -1) {
    const found = describe(values[wrong]!);
    const index = call.reference ? 1 : 0;
    const subject = call.reference ? `gives ${found} for element ${wrong}` : `has ${found} as element ${wrong}`;
    refuse(call, index, `${subject}, but only all texts or all numbers have an order`);
  }
  return (isText ? compareText : compareNumbers) as Compare;
}

function extreme(sign: 1 | -1) {
  return (array: JobValue, _b: JobValue, _c: JobValue, call: Call): JobValue => {
    const values = array as JobValue[];
    if (values.length === 0) return null;
    const compare = orderOf(values, call);
    return values.reduce((best, value) => (compare(value, best) * sign > 0 ? value : best));
  };
}

interface Ranked {
  readonly element: JobValue;
  readonly by: JobValue;
}

function rank(array: readonly JobValue[], call: Call): { elements: Ranked[]; compare: Compare } {
  const elements = array.map((element) => ({ element, by: call.reference!(element) }));
  const values = elements.map(({ by }) => by);
  return { elements, compare: values.length === 0 ? () => 0 : orderOf(values, call) };
}

function extremeBy(sign: 1 | -1) {
  return (array: JobValue, _b: JobValue, _c: JobValue, call: Call): JobValue => {
    const { elements, compare } = rank(array as JobValue[], call);
    if (elements.length === 0) return null;
    return elements.reduce((best, item) => (compare(item.by, best.by) * sign > 0 ? item : best)).element;
  };
}

function sorted(array: readonly JobValue[], call: Call): JobValue[] {
  return array.length === 0 ? [] : array.toSorted(orderOf(array, call));
}
