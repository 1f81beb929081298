import {
  ARRAY,
  type Call,
  describe,
  type FunctionRule,
  NOT_NULL,
  NULL,
  NUMBER,
  refuse,
  refuseType,
  TEXT,
} from './jmespath-call.ts';
import { prepareRegexReplace } from './jmespath-regex.ts';
import { wholeOf } from './numbers.ts';
import type { JobValue } from './types.ts';
import { textOf } from './values.ts';

const text = (name: string) => ({ name, accepts: TEXT });
const TEXT_OR_NULL = { name: 's', accepts: TEXT | NULL };
const whole = (name: string) => ({ name, accepts: NUMBER });

/** Functions of text; positions and lengths count characters (code points). */
export const TEXT_FUNCTIONS: readonly FunctionRule[] = [
  {
    name: 'starts_with',
    parameters: [text('s'), text('prefix')],
    summary: 'True when the text begins with the prefix.',
    run: (s, prefix) => (s as string).startsWith(prefix as string),
  },
  {
    name: 'ends_with',
    parameters: [text('s'), text('suffix')],
    summary: 'True when the text ends with the suffix.',
    run: (s, suffix) => (s as string).endsWith(suffix as string),
  },
  {
    name: 'join',
    parameters: [text('separator'), { name: 'array', accepts: ARRAY }],
    summary: 'The texts of an array, with the separator between them.',
    run: (separator, array, _c, call) => textsOf(array as JobValue[], call).join(separator as string),
  },
  {
    name: 'concat',
    parameters: [{ name: 'array', accepts: ARRAY }],
    summary: 'The text of all elements of an array, one behind the other; null becomes None.',
    prepare: (call) => (call.strictText ? (array) => concatStrictly(array as JobValue[], call) : concat),
  },
  {
    name: 'capitalize',
    parameters: [TEXT_OR_NULL],
    summary: 'The words of a text with a capital first letter and small others, one blank between them.',
    run: (s) => (s === null ? null : capitalize(s as string)),
  },
  {
    name: 'lower',
    parameters: [TEXT_OR_NULL],
    summary: 'The text in small letters.',
    run: (s) => (s === null ? null : (s as string).toLowerCase()),
  },
  {
    name: 'upper',
    parameters: [TEXT_OR_NULL],
    summary: 'The text in capital letters.',
    run: (s) => (s === null ? null : (s as string).toUpperCase()),
  },
  {
    name: 'left',
    parameters: [TEXT_OR_NULL, whole('n')],
    summary: 'The first n characters; a negative n leaves out so many at the end.',
    run: (s, n, _c, call) => (s === null ? null : slice(s as string, 0, wholeArgument(n, 1, call))),
  },
  {
    name: 'right',
    parameters: [TEXT_OR_NULL, whole('n')],
    summary: 'The last n characters; a negative n leaves out so many at the beginning.',
    run: (s, n, _c, call) => (s === null ? null : right(s as string, wholeArgument(n, 1, call))),
  },
  {
    name: 'mid',
    parameters: [TEXT_OR_NULL, whole('offset'), whole('n')],
    summary: 'n characters from an offset that counts from 0, or from the end when it is negative.',
    run: (s, offset, n, call) =>
      s === null ? null : mid(s as string, wholeArgument(offset, 1, call), wholeArgument(n, 2, call)),
  },
  {
    name: 'replace',
    parameters: [TEXT_OR_NULL, text('old'), text('new')],
    summary: 'The text with every occurrence of old replaced by new; an empty old changes nothing.',
    run: (s, old, replacement) =>
      s === null || old === '' ? s : (s as string).replaceAll(old as string, () => replacement as string),
  },
  {
    name: 'split',
    parameters: [TEXT_OR_NULL, { ...text('separator'), isOptional: true }],
    summary: 'The parts of a text between separators (a comma when none is given), not trimmed.',
    run: (s, separator, _c, call) => {
      if (separator === '') refuse(call, 1, 'is empty, but parts need something between them');
      return s === null ? null : (s as string).split((separator as string | null) ?? ',');
    },
  },
  {
    name: 'regex_replace',
    parameters: [text('s'), text('pattern'), text('replacement')],
    summary: 'The text with all matches of a pattern replaced; Python dialect, \\1 and \\g<name> in the replacement.',
    prepare: prepareRegexReplace,
  },
];

function concat(array: JobValue): string {
  let joined = '';
  for (const element of array as JobValue[]) joined += textOf(element);
  return joined;
}

/** Where the text becomes a key, `None` would gather rows that have nothing in common. */
function concatStrictly(array: readonly JobValue[], call: Call): string {
  const nothing = array.indexOf(null);
  if (nothing !== -1)
    refuse(call, 0, `holds null as element ${nothing}, and strict keys have no place for it`, NOT_NULL);
  return concat(array as JobValue[]);
}

function textsOf(array: readonly JobValue[], call: Call): string[] {
  const wrong = array.findIndex((element) => typeof element !== 'string');
  if (wrong === -1) return array as string[];
  const advice = 'Use concat, or map(&to_string(@), …) around the array';
  return refuse(call, 1, `must hold text only, but element ${wrong} is ${describe(array[wrong]!)}`, advice);
}

function capitalize(s: string): string {
  return s
    .split(/\p{White_Space}+/u)
    .filter(Boolean)
    .map(capitalizeWord)
    .join(' ');
}

/** Some letters have a capital of two (`ß`); only the first of them stays one. */
function capitalizeWord(word: string): string {
  const first = String.fromCodePoint(word.codePointAt(0)!);
  const [capital, ...others] = first.toUpperCase();
  return `${capital}${`${others.join('')}${word.slice(first.length)}`.toLowerCase()}`;
}

function wholeArgument(value: JobValue, index: number, call: Call): number {
  const number = wholeOf(value);
  if (number !== null) return number;
  if (value === null) refuseType(call, index, NUMBER, value);
  return refuse(call, index, 'must be a whole number', `Write floor(${call.args[index]!.text})`);
}

const SURROGATE = /[\ud800-\udfff]/;

/** As `slice` of a string, but in characters. */
function slice(s: string, start: number, end: number): string {
  return SURROGATE.test(s) ? [...s].slice(start, end).join('') : s.slice(start, end);
}

/** Below zero it is the beginning that is left out, so that 0 is no edge: none of the text. */
function right(s: string, n: number): string {
  if (n === 0) return '';
  return slice(s, -n, Number.POSITIVE_INFINITY);
}

function mid(s: string, offset: number, n: number): string {
  const length = SURROGATE.test(s) ? [...s].length : s.length;
  const start = offset < 0 ? offset + length : offset;
  return slice(s, Math.max(0, start), Math.max(0, start + n));
}
