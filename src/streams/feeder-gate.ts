import type { ConfigurationStore } from './configuration-store.ts';

/**
 * After a reset: feeders that were running before it are refused until one starts anew. One that had not would go on where it was,
 * and rows from before would never come.
 */
export class FeederGate {
  readonly #configuration: ConfigurationStore;
  readonly #onNotice: (notice: { level: 'info' | 'warn'; message: string }) => void;
  #isShut: boolean;

  constructor(
    configuration: ConfigurationStore,
    onNotice: (notice: { level: 'info' | 'warn'; message: string }) => void,
  ) {
    this.#configuration = configuration;
    this.#onNotice = onNotice;
    this.#isShut = configuration.pipeline.feeder === 'awaited';
  }

  get isShut(): boolean {
    return this.#isShut;
  }

  /** A feeder reads its offsets, which it does only when it starts. */
  open(): void {
    if (!this.#isShut) return;
    this.#isShut = false;
    this.#onNotice({ level: 'info', message: 'A feeder has started anew after the reset; it is served again.' });
    // Until it is durable, a crash only has a feeder start once more.
    this.#configuration.change({ feeder: 'any' }).catch((cause: Error) => {
      this.#onNotice({ level: 'warn', message: `The end of the reset cannot be noted: ${cause.message}` });
    });
  }
}
