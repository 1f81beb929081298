/**
 * The web page of rdi: what runs, what is wrong, and everything to put it right.
 *
 * In: the HTTP API of the same address, asked once a second. Out: pages for overview, tables, DLQ, playground, configuration
 * and log. Promises: no request leaves the address it came from; every text from outside is shown as text, with what cannot be
 * seen written out; everything can be reached with a keyboard; nothing but the token (for this tab), the theme and unsaved
 * edits (in memory) is kept. Does not: decide anything. Checks, diffs and counts are made by the API.
 */
import { render } from 'preact';
import 'uplot/dist/uPlot.min.css';
import './style.css';
import { App } from './app.tsx';
import { startPolling } from './state/live.ts';
import { applyTheme, theme } from './state/theme.ts';

applyTheme(theme.value);
startPolling();
const place = document.getElementById('page');
if (place) render(<App />, place);
