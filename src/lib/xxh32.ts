/**
 * XXH32 (Yann Collet, xxHash specification 0.1.1) over whole little-endian 32-bit words.
 *
 * The journal checks every record with it. It is written out here because the call into a native CRC costs more than
 * the sum itself for records of about 1 KB (`benchmarks/micro/checksum.ts`).
 */

const PRIME1 = 0x9e3779b1 | 0;
const PRIME2 = 0x85ebca77 | 0;
const PRIME3 = 0xc2b2ae3d | 0;
const PRIME4 = 0x27d4eb2f | 0;
const PRIME5 = 0x165667b1 | 0;

function rotateLeft(value: number, bits: number): number {
  return (value << bits) | (value >>> (32 - bits));
}

/** Checksum of `words[from, to)` with seed 0, as an unsigned 32-bit number. */
export function xxh32(words: Int32Array, from: number, to: number): number {
  let i = from;
  let hash: number;
  if (to - from >= 4) {
    let a = (PRIME1 + PRIME2) | 0;
    let b = PRIME2;
    let c = 0;
    let d = -PRIME1 | 0;
    for (const last = to - 4; i <= last; i += 4) {
      a = Math.imul(rotateLeft((a + Math.imul(words[i] as number, PRIME2)) | 0, 13), PRIME1);
      b = Math.imul(rotateLeft((b + Math.imul(words[i + 1] as number, PRIME2)) | 0, 13), PRIME1);
      c = Math.imul(rotateLeft((c + Math.imul(words[i + 2] as number, PRIME2)) | 0, 13), PRIME1);
      d = Math.imul(rotateLeft((d + Math.imul(words[i + 3] as number, PRIME2)) | 0, 13), PRIME1);
    }
    hash = (rotateLeft(a, 1) + rotateLeft(b, 7) + rotateLeft(c, 12) + rotateLeft(d, 18)) | 0;
  } else {
    hash = PRIME5;
  }
  hash = (hash + ((to - from) << 2)) | 0;
  for (; i < to; i++) {
    hash = Math.imul(rotateLeft((hash + Math.imul(words[i] as number, PRIME3)) | 0, 17), PRIME4);
  }
  hash = Math.imul(hash ^ (hash >>> 15), PRIME2);
  hash = Math.imul(hash ^ (hash >>> 13), PRIME3);
  return (hash ^ (hash >>> 16)) >>> 0;
}
