import { type PipelineDocument, referredSecrets } from '../config/index.ts';
import { withinMs } from '../lib/within.ts';
import type { Secrets } from '../secrets/index.ts';
import type { SecretControl, SecretStatus } from './operations.ts';

export interface SecretDeskOptions {
  readonly secrets: Secrets;
  /** The deployed texts; null while nothing is deployed. */
  readonly document: () => Pick<PipelineDocument, 'config'> | null;
  /** Has the pipeline change over to the secrets as they are now. What goes wrong there is the pipeline's to tell. */
  readonly reload: () => Promise<void>;
}

/** How long a change waits for the pipeline to take it. It goes on afterwards. */
const RELOAD_MS = 5000;

/** Secrets for people: their names and where they come from, and those of the store to be set. */
export class SecretDesk implements SecretControl {
  readonly #options: SecretDeskOptions;

  constructor(options: SecretDeskOptions) {
    this.#options = options;
  }

  /** Names that the store, files or Vault have, and those that the deployed configuration refers to; sorted. */
  list(): SecretStatus[] {
    const { secrets } = this.#options;
    const document = this.#options.document();
    const used = new Set(document === null ? [] : referredSecrets(document));
    return [...new Set([...secrets.names(), ...used])].sort().map((name) => {
      const origin = secrets.originOf(name);
      return { name, origin, isSet: origin !== null, isUsed: used.has(name) };
    });
  }

  async set(name: string, value: string): Promise<void> {
    await this.#options.secrets.set(name, value);
    await this.#reload();
  }

  async delete(name: string): Promise<boolean> {
    const wasThere = await this.#options.secrets.delete(name);
    if (wasThere) await this.#reload();
    return wasThere;
  }

  /** The value is kept whatever becomes of the reload: of two that belong together the first alone may well be refused. */
  async #reload(): Promise<void> {
    await withinMs(
      this.#options.reload().catch(() => {}),
      RELOAD_MS,
    );
  }
}
