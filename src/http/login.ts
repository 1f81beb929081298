import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { HttpSettings } from '../config/index.ts';
import { type Clock, systemClock } from '../lib/clock.ts';
import { HttpError } from './api.ts';

/** Who a request comes from. */
export interface TokenData {
  readonly sub: string;
  /** Seconds since the epoch; absent for the token of the configuration, which does not end. */
  readonly iat?: number;
  readonly exp?: number;
}

type LoginSettings = Pick<HttpSettings, 'login' | 'token' | 'jwtKey'>;

const TOKEN_SECONDS = 3600;
const FREE_ATTEMPTS = 5;
const FIRST_DELAY_MS = 1000;
const MAX_DELAY_MS = 60_000;
/** Callers whose wrong logins are remembered; beyond it the oldest are forgotten. */
const MAX_CALLERS = 10_000;

interface Failures {
  readonly count: number;
  /** ms since the epoch. */
  readonly lockedUntil: number;
}

/**
 * Hands out tokens (JWT, HS256, one hour) and knows valid ones. Without a configured login or token everybody is let in: the
 * configuration makes sure that this is only this machine, or wanted.
 *
 * After five wrong logins a caller is not listened to for a second, then two, four, … a minute; a right one clears that.
 */
export class Login {
  readonly #settings: LoginSettings;
  readonly #clock: Clock;
  readonly #key: Uint8Array;
  readonly #failures = new Map<string, Failures>();

  constructor(settings: LoginSettings, clock: Clock = systemClock) {
    this.#settings = settings;
    this.#clock = clock;
    this.#key = settings.jwtKey === undefined ? randomBytes(32) : Buffer.from(settings.jwtKey, 'utf8');
  }

  /** Whether requests need a token. */
  get isNeeded(): boolean {
    return this.#settings.login !== undefined || this.#settings.token !== undefined;
  }

  /**
   * A token for a user. Refuses: 401 for a wrong user or password, 429 for a caller who was wrong too often, 404 when nobody can log in
   * (Redis Insight takes this for a server in development, which needs no token).
   */
  async issue(user: string, password: string, caller: string): Promise<string> {
    const { login } = this.#settings;
    if (login === undefined) throw new HttpError(404, 'No login is configured: the API needs none.');
    const waitMs = (this.#failures.get(caller)?.lockedUntil ?? 0) - this.#clock.now();
    if (waitMs > 0) {
      throw new HttpError(429, `Too many wrong logins. Try again in ${Math.ceil(waitMs / 1000)} s.`);
    }
    // Both are compared, whatever comes of the first.
    const isRight = [isSame(user, login.user), isSame(password, login.password)].every(Boolean);
    if (!isRight) {
      this.#noteFailure(caller);
      throw new HttpError(401, 'Wrong user or password.');
    }
    this.#failures.delete(caller);
    const { SignJWT } = await import('jose');
    const now = Math.floor(this.#clock.now() / 1000);
    return new SignJWT({})
      .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
      .setSubject(user)
      .setIssuedAt(now)
      .setExpirationTime(now + TOKEN_SECONDS)
      .sign(this.#key);
  }

  /** Who an `Authorization` header speaks for; null when it is no valid one. */
  async identify(header: string | undefined): Promise<TokenData | null> {
    if (!this.isNeeded) return { sub: 'anonymous' };
    const token = /^Bearer +(\S+)$/i.exec(header ?? '')?.[1];
    if (token === undefined) return null;
    if (this.#settings.token !== undefined && isSame(token, this.#settings.token)) return { sub: 'token' };
    if (this.#settings.login === undefined) return null;
    const { jwtVerify } = await import('jose');
    try {
      const currentDate = new Date(this.#clock.now());
      const { payload } = await jwtVerify(token, this.#key, {
        algorithms: ['HS256'],
        requiredClaims: ['sub', 'exp'],
        currentDate,
      });
      // A token of an earlier configuration, signed with the same key, speaks for somebody who is no user any more.
      return payload.sub === this.#settings.login.user ? (payload as unknown as TokenData) : null;
    } catch {
      return null;
    }
  }

  #noteFailure(caller: string): void {
    const count = (this.#failures.get(caller)?.count ?? 0) + 1;
    const over = count - FREE_ATTEMPTS;
    const delayMs = over < 0 ? 0 : Math.min(MAX_DELAY_MS, FIRST_DELAY_MS * 2 ** over);
    this.#failures.delete(caller);
    this.#failures.set(caller, { count, lockedUntil: this.#clock.now() + delayMs });
    const oldest = this.#failures.size > MAX_CALLERS ? this.#failures.keys().next().value : undefined;
    if (oldest !== undefined) this.#failures.delete(oldest);
  }
}

/** Compares in a time that depends on neither text: digests have one length. */
function isSame(given: string, wanted: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text, 'utf8').digest();
  return timingSafeEqual(digest(given), digest(wanted));
}
