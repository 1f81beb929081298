import type { ErrorCode } from '../errors.ts';

/**
 * Why an entry cannot be decoded, thrown inside this room only. The decoder adds stream and entry id and turns it into
 * an `Undecodable`; nothing of it leaves the room.
 */
export class DecodeProblem extends Error {
  readonly code: ErrorCode;
  readonly fix: string;

  constructor(code: ErrorCode, what: string, fix: string) {
    super(what);
    this.code = code;
    this.fix = fix;
  }
}

/** A column value that its schema type cannot hold; the row reader adds the column's name. */
export class BadValue extends Error {}

/** Shortens a literal for an error text, so that a megabyte of data never ends up in a log line. */
export function excerpt(text: string): string {
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}
