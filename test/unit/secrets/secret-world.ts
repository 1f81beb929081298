import { onTestFinished } from 'vitest';
import type { SecretSources } from '../../../src/config/index.ts';
import { openSecrets, type SecretStore, type Secrets } from '../../../src/secrets/index.ts';

/** What the store's table keeps, in memory: the real one is tried in test/integration/secrets. */
export class StoredRows implements SecretStore {
  readonly rows = new Map<string, Uint8Array>();
  synced = 0;

  all() {
    return [...this.rows].map(([name, value]) => ({ name, value }));
  }

  put(name: string, value: Uint8Array): void {
    this.rows.set(name, value);
  }

  remove(name: string): boolean {
    return this.rows.delete(name);
  }

  async sync(): Promise<void> {
    this.synced++;
  }
}

export interface SecretWorld {
  readonly secrets: Secrets;
  /** Lines of the log, before anything is hidden in them. */
  readonly lines: string[];
  /** What the log was told to hide. */
  readonly hidden: Set<string>;
}

/** Opens secrets that are closed when the test is over. */
export async function openWorld(
  settings: SecretSources,
  options: { store?: SecretStore; env?: Record<string, string> } = {},
): Promise<SecretWorld> {
  const { store = new StoredRows(), env = {} } = options;
  const lines: string[] = [];
  const hidden = new Set<string>();
  const log = (message: unknown) => {
    lines.push(String(message));
  };
  const secrets = await openSecrets({
    store,
    env,
    settings,
    logger: { info: log, warn: log } as never,
    addSecrets: (values) => {
      for (const value of values) hidden.add(value);
    },
  });
  onTestFinished(() => secrets.close());
  return { secrets, lines, hidden };
}

/** Waits until `isSo`, at most five seconds. */
export async function eventually(isSo: () => boolean, limitMs = 5000): Promise<void> {
  const end = Date.now() + limitMs;
  while (!isSo()) {
    if (Date.now() > end) throw new Error('it did not come about in time');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
