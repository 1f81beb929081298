import { createHash, timingSafeEqual } from 'node:crypto';
import type { EndpointUser } from './types.ts';

/** Names and passwords of the endpoint, compared in constant time. Without users everybody is `default`. */
export class Users {
  readonly #digests: Map<string, Buffer>;

  constructor(users: readonly EndpointUser[]) {
    this.#digests = new Map(users.map(({ name, password }) => [name, digest(Buffer.from(password))]));
  }

  get isOpen(): boolean {
    return this.#digests.size === 0;
  }

  /** Both as the client's bytes in Latin-1. An unknown name costs the same time as a wrong password. */
  accepts(name: string, password: string): boolean {
    const expected = this.#digests.get(Buffer.from(name, 'latin1').toString('utf8'));
    const given = digest(Buffer.from(password, 'latin1'));
    return timingSafeEqual(given, expected ?? digest(Buffer.from('')).fill(0)) && expected !== undefined;
  }
}

function digest(password: Buffer): Buffer {
  return createHash('sha256').update(password).digest();
}
