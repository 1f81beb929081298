/** Above this product of lengths both sides are shown whole: finding the longest common part would take too long. */
const MAX_CELLS = 4_000_000;
/** Lines around a difference that are the same on both sides. */
const CONTEXT = 3;

/** Lines of both sides: `- ` only expected, `+ ` only there, `  ` the same; stretches without a difference are cut to `…`. */
export function diffLines(expected: readonly string[], actual: readonly string[]): string[] {
  if (expected.length * actual.length > MAX_CELLS) {
    return [...expected.map((line) => `- ${line}`), ...actual.map((line) => `+ ${line}`)];
  }
  return withoutFarLines(align(expected, actual));
}

function align(expected: readonly string[], actual: readonly string[]): string[] {
  const common = commonLengths(expected, actual);
  const lines: string[] = [];
  let i = 0;
  let j = 0;
  while (i < expected.length || j < actual.length) {
    if (i < expected.length && j < actual.length && expected[i] === actual[j]) {
      lines.push(`  ${expected[i]}`);
      i++;
      j++;
    } else if (i < expected.length && (j === actual.length || common[i + 1]![j]! >= common[i]![j + 1]!)) {
      lines.push(`- ${expected[i++]}`);
    } else {
      lines.push(`+ ${actual[j++]}`);
    }
  }
  return lines;
}

/** `[i][j]`: length of the longest common subsequence of what is left from line i and from line j on. */
function commonLengths(expected: readonly string[], actual: readonly string[]): Uint32Array[] {
  const table = Array.from({ length: expected.length + 1 }, () => new Uint32Array(actual.length + 1));
  for (let i = expected.length - 1; i >= 0; i--) {
    for (let j = actual.length - 1; j >= 0; j--) {
      const longer = Math.max(table[i + 1]![j]!, table[i]![j + 1]!);
      table[i]![j] = expected[i] === actual[j] ? table[i + 1]![j + 1]! + 1 : longer;
    }
  }
  return table;
}

function withoutFarLines(lines: readonly string[]): string[] {
  const isNear = lines.map((_, index) =>
    lines.slice(Math.max(0, index - CONTEXT), index + CONTEXT + 1).some((line) => !line.startsWith(' ')),
  );
  return lines.flatMap((line, index) => {
    if (isNear[index]) return [line];
    return index === 0 || isNear[index - 1] ? ['  …'] : [];
  });
}
