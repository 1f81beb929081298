import type { Evaluate } from './jmespath-call.ts';
import type { JobValue } from './types.ts';
import { isTruthy } from './values.ts';

/** `right` on every element; null results are left out. */
export function evaluateProjection(elements: Iterable<JobValue>, right: Evaluate): JobValue[] {
  const results: JobValue[] = [];
  for (const element of elements) {
    const result = right(element);
    if (result !== null) results.push(result);
  }
  return results;
}

/** As {@link evaluateProjection}, of the elements for which `condition` holds. */
export function evaluateFilter(array: readonly JobValue[], condition: Evaluate, right: Evaluate): JobValue[] {
  const results: JobValue[] = [];
  for (const element of array) {
    if (!isTruthy(condition(element))) continue;
    const result = right(element);
    if (result !== null) results.push(result);
  }
  return results;
}

/** One level of arrays inside the array is opened. */
export function evaluateFlatten(array: readonly JobValue[]): JobValue[] {
  return array.flat(1) as JobValue[];
}

/** Python's slices: positions beyond the ends are cut, negative ones count from the end. `step` is not 0. */
export function evaluateSlice(
  array: readonly JobValue[],
  from: number | null,
  to: number | null,
  step: number,
): JobValue[] {
  const results: JobValue[] = [];
  const { length } = array;
  if (step > 0) {
    const end = to === null ? length : clamp(to, length, 0, length);
    for (let i = from === null ? 0 : clamp(from, length, 0, length); i < end; i += step) results.push(array[i]!);
  } else {
    const end = to === null ? -1 : clamp(to, length, -1, length - 1);
    const start = from === null ? length - 1 : clamp(from, length, -1, length - 1);
    for (let i = start; i > end; i += step) results.push(array[i]!);
  }
  return results;
}

function clamp(position: number, length: number, least: number, most: number): number {
  return Math.min(most, Math.max(least, position < 0 ? position + length : position));
}
