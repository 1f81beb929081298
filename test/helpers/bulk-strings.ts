/** Fields as RESP bulk strings, as an `XADD` carries them. */
export function bulkStrings(...words: readonly (string | Buffer)[]): Buffer {
  const parts: Buffer[] = [];
  for (const word of words) {
    const bytes = typeof word === 'string' ? Buffer.from(word) : word;
    parts.push(Buffer.from(`$${bytes.length}\r\n`), bytes, Buffer.from('\r\n'));
  }
  return Buffer.concat(parts);
}

/** A whole command as a client sends it. */
export function commandBytes(...words: readonly (string | Buffer)[]): Buffer {
  return Buffer.concat([Buffer.from(`*${words.length}\r\n`), bulkStrings(...words)]);
}
