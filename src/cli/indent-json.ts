const TOKEN = /"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/g;

/**
 * A JSON text with line breaks and indentation. It is never parsed into values, so that integers beyond 2^53 and decimals keep
 * their digits. What is no JSON comes back as it is.
 */
export function indentJson(text: string): string {
  if (!isJson(text)) return text;
  let out = '';
  let depth = 0;
  let before = '';
  const newLine = (): string => `\n${'  '.repeat(depth)}`;
  for (const [token] of text.matchAll(TOKEN)) {
    const isOpening = token === '{' || token === '[';
    const isClosing = token === '}' || token === ']';
    if (isClosing) depth--;
    const wasOpening = before === '{' || before === '[';
    if (before === ',' || (wasOpening && !isClosing) || (isClosing && !wasOpening)) out += newLine();
    out += token === ':' ? ': ' : token;
    if (isOpening) depth++;
    before = token;
  }
  return out;
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
