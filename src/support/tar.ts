/**
 * A tar archive of texts in memory: POSIX ustar (IEEE Std 1003.1-1988, "pax" page), one header block of 512 bytes per file:
 *
 * | offset | bytes | field |
 * |---|---|---|
 * | 0 | 100 | name |
 * | 100 | 8 | mode, octal text |
 * | 108 | 16 | uid, gid: 0 |
 * | 124 | 12 | size, octal |
 * | 136 | 12 | time of change, seconds since the epoch, octal |
 * | 148 | 8 | sum of all bytes of the header, this field as blanks: six octal digits, NUL, blank |
 * | 156 | 1 | type, `0` for a file |
 * | 257 | 8 | `ustar`, NUL, version `00` |
 *
 * The content follows, padded to 512 bytes; two empty blocks end the archive.
 */
const BLOCK = 512;

/** The archive. Names are relative, of at most 100 bytes. */
export function tar(files: ReadonlyMap<string, string>, atMs: number): Buffer {
  const parts: Buffer[] = [];
  for (const [name, text] of files) {
    const content = Buffer.from(text);
    parts.push(header(name, content.length, atMs), content, Buffer.alloc((BLOCK - (content.length % BLOCK)) % BLOCK));
  }
  return Buffer.concat([...parts, Buffer.alloc(2 * BLOCK)]);
}

function header(name: string, size: number, atMs: number): Buffer {
  if (Buffer.byteLength(name) > 100) throw new RangeError(`the name ${name} is too long for an archive`);
  const block = Buffer.alloc(BLOCK);
  block.write(name, 0);
  block.write('0000600\0', 100);
  block.write('0000000\0', 108);
  block.write('0000000\0', 116);
  block.write(`${octal(size, 11)}\0`, 124);
  block.write(`${octal(Math.floor(atMs / 1000), 11)}\0`, 136);
  block.write('        ', 148);
  block.write('0', 156);
  block.write('ustar\0', 257);
  block.write('00', 263);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${octal(sum, 6)}\0 `, 148);
  return block;
}

function octal(value: number, digits: number): string {
  return value.toString(8).padStart(digits, '0');
}
