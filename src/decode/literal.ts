/**
 * Bytes to compare others with, four at a time. The last word overlaps the one before it, so that no rest is left over;
 * only literals below four bytes are compared one by one.
 */
export class Literal {
  readonly bytes: Uint8Array;
  readonly words: Int32Array;

  /** Keeps own bytes, because the event's buffer must not live as long as what was learned from it. */
  constructor(bytes: Buffer, start: number, end: number) {
    this.bytes = Buffer.allocUnsafeSlow(end - start);
    bytes.copy(this.bytes, 0, start, end);
    const { length } = this.bytes;
    const view = new DataView(this.bytes.buffer, this.bytes.byteOffset, length);
    this.words = new Int32Array(length < 4 ? 0 : Math.ceil(length / 4));
    for (let i = 0; i < this.words.length; i++) this.words[i] = view.getInt32(Math.min(i * 4, length - 4), true);
  }

  static of(text: string): Literal {
    const bytes = Buffer.from(text);
    return new Literal(bytes, 0, bytes.length);
  }
}
