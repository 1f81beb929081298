/** Redis' glob patterns (`*`, `?`, `[a-z]`, `[^x]`, `\` as escape), matched without backtracking into exponential time. */
export function glob(pattern: string, text: string): boolean {
  return compileGlob(pattern).test(text);
}

/** The pattern as a regular expression over the whole text. */
export function compileGlob(pattern: string): RegExp {
  let source = '';
  for (let i = 0; i < pattern.length; i++) {
    const character = pattern[i] as string;
    if (character === '*') {
      // A run of stars means the same as one; several in a row would make matching slow.
      while (pattern[i + 1] === '*') i++;
      source += '[\\s\\S]*';
    } else if (character === '?') source += '[\\s\\S]';
    else if (character === '[') {
      const close = pattern.indexOf(']', i + 1);
      const set = close < 0 ? pattern.slice(i + 1) : pattern.slice(i + 1, close);
      i = close < 0 ? pattern.length : close;
      const body = set.replace(/^\^/, '').replace(/[\\\]^]/g, '\\$&');
      source +=
        body === ''
          ? '(?!)'
          : `[${set.startsWith('^') ? '^' : ''}${isOrdered(body) ? body : body.replace(/-/g, '\\-')}]`;
    } else if (character === '\\' && i + 1 < pattern.length) source += quoted(pattern[++i] as string);
    else source += quoted(character);
  }
  return new RegExp(`^${source}$`);
}

/** Whether every range `a-z` in a character set goes upwards; others would not compile. */
function isOrdered(set: string): boolean {
  return [...set.matchAll(/(.)-(.)/gs)].every(([, from, to]) => (from as string) <= (to as string));
}

function quoted(character: string): string {
  return character.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&');
}
