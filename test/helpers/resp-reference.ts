/**
 * Commands in a stream of bytes by the plainest reading of the Redis protocol: slow, whole, and written apart from rdi's own
 * parser. `end` says why it stops: everything was read, the last command is not complete, the bytes are no protocol, or
 * the line is one that only quoting rules explain.
 */
export function readCommands(text: string): { commands: string[][]; end: 'whole' | 'incomplete' | 'bad' | 'quoted' } {
  const commands: string[][] = [];
  let at = 0;
  while (at < text.length) {
    if (text[at] !== '*') {
      const newline = text.indexOf('\n', at);
      const line = newline < 0 ? text.slice(at) : text.slice(at, newline);
      if (line.length > 65_536) return { commands, end: 'bad' };
      if (newline < 0) return { commands, end: 'incomplete' };
      if (/["']/.test(line)) return { commands, end: 'quoted' };
      const words = line.split(/[ \t\n\v\f\r]+/).filter((word) => word !== '');
      if (words.length > 0) commands.push(words);
      at = newline + 1;
      continue;
    }
    const array = readNumber(text, at + 1);
    if (array.kind !== 'number') return { commands, end: array.kind };
    if (array.value > 1000) return { commands, end: 'bad' };
    at = array.next;
    const words: string[] = [];
    for (let i = 0; i < array.value; i++) {
      if (at >= text.length) return { commands, end: 'incomplete' };
      if (text[at] !== '$') return { commands, end: 'bad' };
      const length = readNumber(text, at + 1);
      if (length.kind !== 'number') return { commands, end: length.kind };
      if (length.value < 0 || length.value > 100_000) return { commands, end: 'bad' };
      const end = length.next + length.value;
      if (end + 2 > text.length) return { commands, end: 'incomplete' };
      if (text.slice(end, end + 2) !== '\r\n') return { commands, end: 'bad' };
      words.push(text.slice(length.next, end));
      at = end + 2;
    }
    if (words.length > 0) commands.push(words);
  }
  return { commands, end: 'whole' };
}

type NumberRead = { kind: 'number'; value: number; next: number } | { kind: 'incomplete' | 'bad' };

function readNumber(text: string, at: number): NumberRead {
  const end = text.indexOf('\r\n', at);
  const digits = end < 0 ? text.slice(at) : text.slice(at, end);
  if (end < 0) return { kind: /^-?\d{0,12}\r?$/.test(digits) && !/^-?\r/.test(digits) ? 'incomplete' : 'bad' };
  return /^-?\d{1,12}$/.test(digits) ? { kind: 'number', value: Number(digits), next: end + 2 } : { kind: 'bad' };
}
