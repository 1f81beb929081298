/** Methods that every Node.js release has and that its type package leaves out; they skip the choice of an encoding. */
declare global {
  interface Buffer {
    latin1Slice(start?: number, end?: number): string;
    utf8Slice(start?: number, end?: number): string;
  }
}

export {};
