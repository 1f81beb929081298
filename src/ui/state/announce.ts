import { Store } from './store.ts';

/** The last thing worth hearing for somebody who does not see the page. */
export const announcement = new Store('');

/** Says a sentence to screen readers. */
export function announce(text: string): void {
  announcement.set(text);
}
