import { NumberText } from '../../types.ts';
import { ANY, ARRAY, type Call, describe, type FunctionRule, NUMBER, refuse } from './jmespath-call.ts';
import { exactOf, isIntegral, isNumber, numberOfBigInt, numberOfText, realOf } from './numbers.ts';
import type { JobValue } from './types.ts';

const X_NUMBER = [{ name: 'x', accepts: NUMBER }];
const NUMBERS = [{ name: 'array', accepts: ARRAY }];

type Digits = number | NumberText;

/** Functions of numbers; all standard. Integers stay exact, reals stay reals (`1.0` does not become `1`). */
export const NUMBER_FUNCTIONS: readonly FunctionRule[] = [
  {
    name: 'abs',
    parameters: X_NUMBER,
    summary: 'The number without its sign.',
    run: (x) => (x instanceof NumberText ? withoutSign(x) : Math.abs(x as number)),
  },
  {
    name: 'ceil',
    parameters: X_NUMBER,
    summary: 'The next integer that is not below the number.',
    run: (x, _b, _c, call) => whole(x as Digits, Math.ceil, call),
  },
  {
    name: 'floor',
    parameters: X_NUMBER,
    summary: 'The next integer that is not above the number.',
    run: (x, _b, _c, call) => whole(x as Digits, Math.floor, call),
  },
  {
    name: 'sum',
    parameters: NUMBERS,
    summary: 'The sum of the numbers of an array; 0 for an empty one.',
    run: (array, _b, _c, call) => sumOf(numbersOf(array as JobValue[], call), call),
  },
  {
    name: 'avg',
    parameters: NUMBERS,
    summary: 'The mean of the numbers of an array; null for an empty one.',
    run: (array, _b, _c, call) => meanOf(numbersOf(array as JobValue[], call), call),
  },
  {
    name: 'to_number',
    parameters: [{ name: 'x', accepts: ANY }],
    summary: 'The number that a text shows; a number as it is; null for anything else.',
    run: (x) => (typeof x === 'string' ? numberOfText(x) : isNumber(x) ? x : null),
  },
];

function withoutSign(x: NumberText): NumberText {
  return x.text.startsWith('-') ? new NumberText(x.text.slice(1)) : x;
}

function whole(x: Digits, round: (value: number) => number, call: Call): Digits {
  if (typeof x !== 'number' && isIntegral(x)) return x;
  const rounded = round(Number(exactOf(x)));
  if (!Number.isFinite(rounded)) refuse(call, 0, 'is too large to calculate with');
  // Adding 0 turns minus zero into zero.
  return Number.isSafeInteger(rounded) ? rounded + 0 : numberOfBigInt(BigInt(rounded));
}

function numbersOf(array: readonly JobValue[], call: Call): readonly Digits[] {
  const wrong = array.findIndex((element) => !isNumber(element));
  if (wrong === -1) return array as readonly Digits[];
  return refuse(call, 0, `must hold numbers only, but element ${wrong} is ${describe(array[wrong]!)}`);
}

function sumOf(numbers: readonly Digits[], call: Call): Digits {
  if (numbers.every(isIntegral)) return sumOfIntegers(numbers);
  const sum = numbers.reduce<number>((total, number) => total + Number(exactOf(number)), 0);
  return Number.isFinite(sum) ? realOf(sum) : refuse(call, 0, 'has a sum that is too large to calculate with');
}

/** Doubles as long as they are exact. */
function sumOfIntegers(numbers: readonly Digits[]): Digits {
  let sum = 0;
  for (const number of numbers) {
    sum += typeof number === 'number' ? number : Number.NaN;
    if (!Number.isSafeInteger(sum)) return numberOfBigInt(numbers.reduce((all, each) => all + bigIntOf(each), 0n));
  }
  return sum;
}

function bigIntOf(number: Digits): bigint {
  return BigInt(typeof number === 'number' ? number : number.text);
}

function meanOf(numbers: readonly Digits[], call: Call): Digits | null {
  if (numbers.length === 0) return null;
  const mean = Number(exactOf(sumOf(numbers, call))) / numbers.length;
  return Number.isFinite(mean) ? realOf(mean) : refuse(call, 0, 'has a sum that is too large to calculate with');
}
