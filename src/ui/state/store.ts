import { useEffect, useState } from 'preact/hooks';

/** One value that several parts of the page show. */
export class Store<T> {
  #value: T;
  readonly #listeners = new Set<(value: T) => void>();

  constructor(value: T) {
    this.#value = value;
  }

  get value(): T {
    return this.#value;
  }

  set(value: T): void {
    this.#value = value;
    for (const listener of this.#listeners) listener(value);
  }

  /** Calls `listener` at every change; returns how to end that. */
  subscribe(listener: (value: T) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}

/** The value of a store; the component is drawn again whenever it changes. */
export function useStore<T>(store: Store<T>): T {
  const [, redraw] = useState(0);
  const drawn = store.value;
  useEffect(() => {
    const draw = (): void => redraw((count) => count + 1);
    // Effects run after the first drawing; a change in between would never be seen.
    if (store.value !== drawn) draw();
    return store.subscribe(draw);
  }, [store]);
  return drawn;
}
