import { Store } from './store.ts';

export type Theme = 'system' | 'light' | 'dark';

const KEY = 'rdi-theme';

/** Light or dark as the system says, or as the reader chose in this browser. */
export const theme = new Store<Theme>(readTheme());

export function chooseTheme(chosen: Theme): void {
  if (chosen === 'system') localStorage.removeItem(KEY);
  else localStorage.setItem(KEY, chosen);
  applyTheme(chosen);
  theme.set(chosen);
}

/** Marks the document, whose style sheet knows the colours. */
export function applyTheme(chosen: Theme): void {
  if (chosen === 'system') delete document.documentElement.dataset['theme'];
  else document.documentElement.dataset['theme'] = chosen;
}

function readTheme(): Theme {
  const kept = localStorage.getItem(KEY);
  return kept === 'light' || kept === 'dark' ? kept : 'system';
}
