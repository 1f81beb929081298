import { setTimeout as sleep } from 'node:timers/promises';
import type { SecretRequest, VaultSettings } from '../config/index.ts';
import { VaultClient, type VaultContent, VaultError } from './vault-client.ts';

/** Attempts at the start, before rdi goes on without Vault, and the pause before the second. */
const FIRST_ATTEMPTS = 4;
const FIRST_PAUSE_MS = 150;
/** The first pause after a failure later on; each further one is twice as long, up to the refresh period. */
const RETRY_MS = 1000;
const MIN_REFRESH_MS = 100;
/** Credentials with a lease are read again when this part of it is over. */
const LEASE_SHARE = 2 / 3;

export interface VaultValuesOptions {
  readonly settings: VaultSettings;
  /** Monotonic milliseconds. */
  readonly now: () => number;
  /** A value has changed, appeared or gone. */
  readonly onChange: () => void;
  /** Vault cannot be read, or can be read again: one sentence without values. */
  readonly onNotice: (level: 'info' | 'warn', message: string) => void;
}

interface PathState {
  /** Undefined: never read. Null: Vault has nothing there. */
  content: VaultContent | null | undefined;
  failure: VaultError | undefined;
  dueAt: number;
}

/** Values that Vault holds, read again every now and then. While Vault is away, those that were read last go on. */
export class VaultValues {
  readonly #options: VaultValuesOptions;
  readonly #client: VaultClient;
  readonly #paths = new Map<string, PathState>();
  #requests: readonly SecretRequest[] = [];
  #timer: NodeJS.Timeout | undefined;
  #failures = 0;
  #reading: Promise<boolean> | undefined;
  #isClosed = false;

  constructor(options: VaultValuesOptions) {
    this.#options = options;
    this.#client = new VaultClient(options.settings, options.now);
    for (const { path } of options.settings.paths) this.#want(path);
  }

  /** Reads everything for the first time; a few attempts, then it goes on in the background. Never fails. */
  async start(): Promise<void> {
    await this.#readFirst();
    this.#schedule();
  }

  /** Has these values read, too, instead of those asked for before; of one name the last counts. Resolves when that was tried. */
  async request(requests: readonly SecretRequest[]): Promise<void> {
    this.#requests = requests;
    for (const { path } of requests) this.#want(path);
    const wanted = new Set([...requests, ...this.#options.settings.paths].map(({ path }) => path));
    for (const path of this.#paths.keys()) if (!wanted.has(path)) this.#paths.delete(path);
    if ([...this.#paths.values()].some(({ content }) => content === undefined)) await this.#readFirst();
    this.#schedule();
  }

  /** Values by the names that placeholders use. */
  values(): Map<string, string> {
    const values = new Map<string, string>();
    for (const { path, only } of this.#options.settings.paths) {
      const fields = this.#paths.get(path)?.content?.fields;
      if (fields === undefined) continue;
      if (only === undefined) for (const [name, value] of fields) values.set(name, value);
      else putIfThere(values, only.name, fields.get(only.field));
    }
    for (const { name, path, field } of this.#requests) {
      putIfThere(values, name, this.#paths.get(path)?.content?.fields.get(field));
    }
    return values;
  }

  /** Why a name has no value; undefined when Vault is not where it should come from. */
  whyMissing(name: string): string | undefined {
    const named = [
      ...this.#options.settings.paths.flatMap(({ path, only }) => (only === undefined ? [] : [{ path, ...only }])),
      ...this.#requests,
    ].findLast((one) => one.name === name);
    if (named !== undefined) return this.#whyMissingAt(named.path, named.field);
    const failed = [...this.#paths].find(([, state]) => state.content === undefined && state.failure !== undefined);
    return failed === undefined ? undefined : this.#whyMissingAt(failed[0], undefined);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    await this.#client.close();
  }

  #whyMissingAt(path: string, field: string | undefined): string | undefined {
    const { content, failure } = this.#paths.get(path) ?? {};
    const place = `\`${path}\` in Vault at ${this.#client.address}`;
    if (content === null) return `there is nothing at ${place}`;
    if (content !== undefined) return field === undefined ? undefined : `${place} has no field \`${field}\``;
    return `${place} cannot be read: ${failure?.message ?? 'it was not tried yet'}`;
  }

  #want(path: string): void {
    if (!this.#paths.has(path)) this.#paths.set(path, { content: undefined, failure: undefined, dueAt: 0 });
  }

  async #readFirst(): Promise<void> {
    for (let attempt = 1, pauseMs = FIRST_PAUSE_MS; ; attempt++, pauseMs *= 2) {
      await this.#readDue();
      const isTransient = [...this.#paths.values()].some(
        ({ content, failure }) => content === undefined && failure !== undefined && mayPass(failure),
      );
      if (!isTransient || attempt === FIRST_ATTEMPTS || this.#isClosed) return;
      await sleep(pauseMs);
    }
  }

  #schedule(): void {
    clearTimeout(this.#timer);
    if (this.#isClosed || this.#paths.size === 0) return;
    const now = this.#options.now();
    const dueAt = Math.min(...[...this.#paths.values()].map((state) => state.dueAt));
    const delay = Math.min(2 ** 31 - 1, Math.max(MIN_REFRESH_MS, dueAt - now));
    this.#timer = setTimeout(() => void this.#refresh(), delay).unref();
  }

  async #refresh(): Promise<void> {
    const isChanged = await this.#readDue();
    if (this.#isClosed) return;
    this.#schedule();
    if (isChanged) this.#options.onChange();
  }

  /** Reads the paths whose time has come; whether a value differs. One reading at a time. */
  async #readDue(): Promise<boolean> {
    await this.#reading;
    this.#reading = this.#readPaths();
    return this.#reading;
  }

  async #readPaths(): Promise<boolean> {
    const before = this.values();
    const wasFailing = this.#failures > 0;
    const now = this.#options.now();
    const due = [...this.#paths].filter(([, { dueAt, content }]) => dueAt <= now || content === undefined);
    let failed: VaultError | undefined;
    for (const [path, state] of due) {
      try {
        // Nothing answers the others either.
        if (failed?.status === 0) throw failed;
        state.content = await this.#client.read(path);
        state.failure = undefined;
        state.dueAt = this.#options.now() + this.#periodOf(state.content);
      } catch (error) {
        failed = error instanceof VaultError ? error : new VaultError('it cannot be read', 0, error);
        state.failure = failed;
        state.dueAt = this.#options.now() + Math.min(this.#refreshMs, RETRY_MS * 2 ** this.#failures);
      }
    }
    if (due.length > 0) this.#note(failed, wasFailing);
    return !isSame(before, this.values());
  }

  #note(failed: VaultError | undefined, wasFailing: boolean): void {
    this.#failures = failed === undefined ? 0 : Math.min(this.#failures + 1, 20);
    if (this.#isClosed || wasFailing === (failed !== undefined)) return;
    const { address } = this.#client;
    if (failed === undefined) {
      this.#options.onNotice('info', `Vault at ${address} can be read again.`);
    } else {
      const known = this.values().size > 0 ? ' What was read last goes on.' : '';
      this.#options.onNotice('warn', `Vault at ${address} cannot be read: ${failed.message}.${known}`);
    }
  }

  get #refreshMs(): number {
    return Math.max(MIN_REFRESH_MS, this.#options.settings.refreshMs);
  }

  #periodOf(content: VaultContent | null): number {
    return content?.leaseMs === undefined ? this.#refreshMs : content.leaseMs * LEASE_SHARE;
  }
}

/** Whether the same request may succeed a moment later. */
function mayPass({ status }: VaultError): boolean {
  return status === 0 || status === 429 || status >= 500 || status === 412 || status === 472 || status === 473;
}

function putIfThere(values: Map<string, string>, name: string, value: string | undefined): void {
  if (value !== undefined) values.set(name, value);
}

function isSame(a: ReadonlyMap<string, string>, b: ReadonlyMap<string, string>): boolean {
  return a.size === b.size && [...a].every(([name, value]) => b.get(name) === value);
}
