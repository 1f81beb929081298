import { createCipheriv, createDecipheriv, randomBytes, scrypt } from 'node:crypto';
import { promisify } from 'node:util';

/**
 * Encrypted values as the store keeps them: AES-256-GCM with the name as associated data, so that a value that was moved to
 * another name does not open.
 *
 * ```
 * version  1 byte, 1
 * salt     16 bytes for scrypt; zeros where the key is 32 bytes as they are
 * nonce    12 bytes, random for each value
 * tag      16 bytes
 * text     the rest, UTF-8
 * ```
 */
const VERSION = 1;
const SALT = { at: 1, bytes: 16 };
const NONCE = { at: 17, bytes: 12 };
const TAG = { at: 29, bytes: 16 };
const TEXT_AT = 45;
const NO_SALT = Buffer.alloc(SALT.bytes);
/** 32 MiB and about a tenth of a second: a start of rdi must not take long. A random key needs none of it. */
const SCRYPT = { N: 2 ** 15, r: 8, p: 1, maxmem: 2 ** 26 };

const deriveKey = promisify((text: string, salt: Buffer, done: (error: Error | null, key: Buffer) => void): void =>
  scrypt(text, salt, 32, SCRYPT, done),
);

/** Encrypts and decrypts values under one key. */
export class Seal {
  readonly #text: string;
  readonly #raw: Buffer | undefined;
  /** Keys made of the text, by salt: making one is slow on purpose. */
  readonly #derived = new Map<string, Promise<Buffer>>();
  #salt: Buffer | undefined;

  /** `key`: 32 bytes as base64 or hex, which are taken as they are; any other text goes through scrypt. */
  constructor(key: string) {
    this.#text = key;
    this.#raw = rawKey(key);
  }

  /** Resolves to what {@link Seal.open} opens with the same key and name. */
  async close(name: string, value: string): Promise<Uint8Array> {
    if (this.#raw === undefined) this.#salt ??= randomBytes(SALT.bytes);
    const salt = this.#salt ?? NO_SALT;
    const nonce = randomBytes(NONCE.bytes);
    const cipher = createCipheriv('aes-256-gcm', await this.#key(salt), nonce).setAAD(Buffer.from(name));
    const text = Buffer.concat([cipher.update(value, 'utf8'), cipher.final()]);
    return Buffer.concat([Buffer.of(VERSION), salt, nonce, cipher.getAuthTag(), text]);
  }

  /** The value; undefined when it was closed with another key, under another name, or changed since. */
  async open(name: string, sealed: Uint8Array): Promise<string | undefined> {
    const bytes = Buffer.from(sealed.buffer, sealed.byteOffset, sealed.byteLength);
    if (bytes.length < TEXT_AT || bytes[0] !== VERSION) return undefined;
    const part = ({ at, bytes: length }: typeof SALT) => bytes.subarray(at, at + length);
    const salt = part(SALT);
    if (salt.equals(NO_SALT) !== (this.#raw !== undefined)) return undefined;
    const decipher = createDecipheriv('aes-256-gcm', await this.#key(salt), part(NONCE))
      .setAAD(Buffer.from(name))
      .setAuthTag(part(TAG));
    try {
      const text = Buffer.concat([decipher.update(bytes.subarray(TEXT_AT)), decipher.final()]);
      // The values to come share the salt, so that a start makes one key and not one per value.
      if (this.#raw === undefined) this.#salt = Buffer.from(salt);
      return text.toString('utf8');
    } catch {
      return undefined;
    }
  }

  #key(salt: Buffer): Promise<Buffer> | Buffer {
    if (this.#raw !== undefined) return this.#raw;
    const id = salt.toString('hex');
    let key = this.#derived.get(id);
    if (key === undefined) {
      key = deriveKey(this.#text, salt);
      this.#derived.set(id, key);
    }
    return key;
  }
}

function rawKey(text: string): Buffer | undefined {
  if (/^[0-9a-f]{64}$/i.test(text)) return Buffer.from(text, 'hex');
  return /^[A-Za-z0-9+/_-]{43}=?$/.test(text) ? Buffer.from(text, 'base64') : undefined;
}
