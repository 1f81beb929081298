/** Splits `bytes[start, end)`, RESP bulk strings one behind the other, into views. Stops where the bytes are none. */
export function splitBulkStrings(bytes: Buffer, start: number, end: number): Buffer[] {
  const parts: Buffer[] = [];
  let at = start;
  while (at < end && bytes[at] === 36) {
    const lineEnd = bytes.indexOf('\r\n', at);
    if (lineEnd < 0) break;
    const from = lineEnd + 2;
    const to = from + Number(bytes.toString('latin1', at + 1, lineEnd));
    if (!(to + 2 <= end)) break;
    parts.push(bytes.subarray(from, to));
    at = to + 2;
  }
  return parts;
}
