import { BACKSLASH, BLANK, QUOTE } from './json-bytes.ts';

/** Valid JSON without blanks between its tokens; nothing inside strings changes. */
export function compactJson(text: string): string {
  let compact = '';
  let kept = 0;
  let inString = false;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (inString) {
      if (code === BACKSLASH) at++;
      else if (code === QUOTE) inString = false;
    } else if (code === QUOTE) inString = true;
    else if (code <= BLANK) {
      compact += text.slice(kept, at);
      kept = at + 1;
    }
  }
  return compact + text.slice(kept);
}
