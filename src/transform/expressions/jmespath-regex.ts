import { createContext, Script } from 'node:vm';
import { BoundedCache } from './bounded-cache.ts';
import { type Call, type Run, refuse, refuseLiteral } from './jmespath-call.ts';
import { translatePattern } from './python-pattern.ts';
import { PatternProblem, type Translated } from './python-pattern-types.ts';
import { parseReplacement, type Replacement } from './python-replacement.ts';

/** What one record may spend on one replacement. */
const LIMIT_MS = 100;

/** Below so many tries (about a millisecond) no guard is needed; having one costs a quarter of that. */
const FREE_TRIES = 1_000_000;

interface Pattern extends Translated {
  readonly regExp: RegExp;
}

type Refuse = (index: number, problem: string) => never;

/**
 * `regex_replace(s, pattern, replacement)`. Patterns that are written out are compiled once, others once per text.
 *
 * The engine behind `RegExp` tries alternatives one after the other, and for some patterns (`(a+)+$`) their number doubles with each
 * character. Where pattern and length of the text together allow more than {@link FREE_TRIES}, the match runs under a time
 * limit and the record is rejected when that is over; so every pattern works, and none can hang the process.
 */
export function prepareRegexReplace(call: Call): Run {
  const [, pattern, replacement] = call.args.map(({ literal }) => literal);
  const atRun: Refuse = (index, problem) => refuse(call, index, problem);
  const atLoad: Refuse = (index, problem) => refuseLiteral(call, index, problem);
  const replace = (s: string, compiled: Pattern, pieces: Replacement): string =>
    run(s, compiled, pieces) ?? refuse(call, 1, `takes more than ${LIMIT_MS} ms on a text of ${s.length} characters`);
  if (typeof pattern !== 'string') {
    const patterns = new BoundedCache((text: string) => compilePattern(text, atRun));
    return (s, text, by) => {
      const compiled = patterns.get(text as string);
      return replace(s as string, compiled, piecesOf(by as string, compiled, atRun));
    };
  }
  const compiled = compilePattern(pattern, atLoad);
  if (typeof replacement === 'string') {
    const pieces = piecesOf(replacement, compiled, atLoad);
    return (s) => replace(s as string, compiled, pieces);
  }
  return (s, _pattern, by) => replace(s as string, compiled, piecesOf(by as string, compiled, atRun));
}

function compilePattern(text: string, refused: Refuse): Pattern {
  try {
    const translated = translatePattern(text);
    const regExp = new RegExp(translated.source, translated.ignoreCase ? 'giv' : 'gv');
    // Some limits of the engine show only when a pattern is used for the first time.
    regExp.test('');
    regExp.lastIndex = 0;
    return { ...translated, regExp };
  } catch (error) {
    if (error instanceof PatternProblem)
      return refused(1, `is no pattern: ${error.message} (at offset ${error.offset})`);
    return refused(1, 'is no pattern that this program can use');
  }
}

function piecesOf(text: string, pattern: Pattern, refused: Refuse): Replacement {
  try {
    return parseReplacement(text, pattern);
  } catch (error) {
    if (!(error instanceof PatternProblem)) throw error;
    return refused(2, `is no replacement: ${error.message} (at offset ${error.offset})`);
  }
}

/** The result, or null when the time was over. */
function run(s: string, pattern: Pattern, pieces: Replacement): string | null {
  return triesOf(s.length, pattern) <= FREE_TRIES
    ? replaceAll(s, pattern, pieces)
    : withinLimit(() => replaceAll(s, pattern, pieces));
}

/** An upper bound: every place of the text as a beginning, times every length of every quantifier. */
function triesOf(length: number, { degree, factor, isNested }: Pattern): number {
  return factor * (isNested ? 2 ** length : 1) * (length + 1) ** (degree + 1);
}

function replaceAll(s: string, { regExp, groups }: Pattern, pieces: Replacement): string {
  return s.replace(regExp, (...found) => {
    if (found[0] === '' && isInsideCharacter(s, found[groups + 1])) return '';
    let replacement = '';
    for (const piece of pieces) replacement += typeof piece === 'string' ? piece : (found[piece] ?? '');
    return replacement;
  });
}

/** V8 looks for matches of nothing also between the two halves of a character beyond U+FFFF. */
function isInsideCharacter(s: string, offset: number): boolean {
  return (s.codePointAt(offset - 1) ?? 0) > 0xffff;
}

let guard: ((task: () => string) => string | null) | null = null;

/** Made at the first use: most pipelines never need it. */
function withinLimit(task: () => string): string | null {
  guard ??= makeGuard();
  return guard(task);
}

function makeGuard(): (task: () => string) => string | null {
  const surroundings: { task: (() => string) | null } = { task: null };
  const context = createContext(surroundings);
  const script = new Script('task()');
  return (task) => {
    surroundings.task = task;
    try {
      return script.runInContext(context, { timeout: LIMIT_MS }) as string;
    } catch (error) {
      // Besides the limit, the engine gives up (RangeError) when what it must remember outgrows its memory.
      if ((error as { code?: string }).code === 'ERR_SCRIPT_EXECUTION_TIMEOUT' || error instanceof RangeError)
        return null;
      throw error;
    } finally {
      surroundings.task = null;
    }
  };
}
