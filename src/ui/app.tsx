import type { ComponentChildren, JSX } from 'preact';
import { useEffect, useErrorBoundary, useRef } from 'preact/hooks';
import { ConfigurationPage } from './pages/configuration.tsx';
import { DlqPage } from './pages/dlq.tsx';
import { LoginPage } from './pages/login.tsx';
import { LogsPage } from './pages/logs.tsx';
import { OverviewPage } from './pages/overview.tsx';
import { PlaygroundPage } from './pages/playground.tsx';
import { TablesPage } from './pages/tables.tsx';
import { Failure, sentenceOf } from './parts/pieces.tsx';
import { StateMark } from './parts/state-mark.tsx';
import { announce, announcement } from './state/announce.ts';
import { needsLogin } from './state/api.ts';
import { formatDuration } from './state/figures.ts';
import { live } from './state/live.ts';
import { linkTo, type Route, route } from './state/router.ts';
import { useStore } from './state/store.ts';
import { chooseTheme, type Theme, theme } from './state/theme.ts';

const PAGES: readonly [name: string, title: string, page: (place: { place: Route }) => JSX.Element][] = [
  ['overview', 'Overview', OverviewPage],
  ['tables', 'Tables', TablesPage],
  ['dlq', 'DLQ', DlqPage],
  ['playground', 'Playground', PlaygroundPage],
  ['configuration', 'Configuration', ConfigurationPage],
  ['logs', 'Logs', LogsPage],
];

/** The frame around every page: skip link, head with state and navigation, outage banner, announcements. */
export function App(): JSX.Element {
  const place = useStore(route);
  const isLogin = useStore(needsLogin);
  useAnnouncedState();
  const [name, title, Page] = PAGES.find(([page]) => page === place.page) ?? PAGES[0]!;
  const main = useRef<HTMLElement>(null);
  const seen = useRef(name);
  useEffect(() => {
    document.title = `${title} · rdi`;
    // Whoever follows a link with a keyboard goes on from the top of what it led to.
    if (seen.current !== name) main.current?.focus();
    seen.current = name;
  }, [name, title]);
  return (
    <>
      <button type="button" class="skip" onClick={() => main.current?.focus()}>
        Skip to the content
      </button>
      <Head current={name} isLogin={isLogin} />
      <OutageBanner />
      <main ref={main} id="content" tabIndex={-1}>
        {isLogin ? (
          <LoginPage />
        ) : (
          <Guarded key={JSON.stringify([name, place.parts])}>
            <Page place={place.page === name ? place : { page: name, parts: [], query: {} }} />
          </Guarded>
        )}
      </main>
      <Announcer />
    </>
  );
}

/** Keeps navigation and banner alive when a page cannot be drawn. */
function Guarded({ children }: { children: ComponentChildren }): JSX.Element {
  const [error, again] = useErrorBoundary();
  if (error === undefined) return <>{children}</>;
  return (
    <>
      <Failure error={new Error(`This page could not be drawn: ${sentenceOf(error)} Please report it.`)} />
      <button type="button" onClick={again}>
        Draw it again
      </button>
    </>
  );
}

function Head({ current, isLogin }: { current: string; isLogin: boolean }): JSX.Element {
  const { status } = useStore(live);
  const kept = status?.dlqs.reduce((sum, { count }) => sum + count, 0) ?? 0;
  return (
    <header class="head">
      <div class="brand">
        <strong>rdi</strong>
        {status && <span class="quiet"> {status.version}</span>}
        {status && !isLogin && <StateMark status={status} />}
      </div>
      <nav aria-label="Pages" hidden={isLogin}>
        {PAGES.map(([page, title]) => (
          <a key={page} href={linkTo(page)} {...(page === current ? { 'aria-current': 'page' as const } : {})}>
            {title}
            {page === 'dlq' && kept > 0 && <Badge>{kept}</Badge>}
          </a>
        ))}
      </nav>
      <ThemeSwitch />
    </header>
  );
}

function Badge({ children }: { children: ComponentChildren }): JSX.Element {
  return <span class="badge">{children}</span>;
}

function ThemeSwitch(): JSX.Element {
  const chosen = useStore(theme);
  return (
    <label class="theme">
      <span>Theme</span>
      <select value={chosen} onChange={(event) => chooseTheme(event.currentTarget.value as Theme)}>
        <option value="system">system</option>
        <option value="light">light</option>
        <option value="dark">dark</option>
      </select>
    </label>
  );
}

function OutageBanner(): JSX.Element | null {
  const { outage, status } = useStore(live);
  if (!outage) return null;
  const known = status ? ` The figures below are ${formatDuration(Date.now() - status.takenAt)} old.` : '';
  return (
    <div class="banner" role="alert">
      <strong>No answer for {formatDuration(Date.now() - outage.since)}.</strong> {outage.text} Asking again every
      second.
      {known}
    </div>
  );
}

function Announcer(): JSX.Element {
  const text = useStore(announcement);
  return (
    <div class="unseen" role="status" aria-live="polite">
      {text}
    </div>
  );
}

/** Says changes of the state and problems that come and go. */
function useAnnouncedState(): void {
  const before = useRef<{ state: string; problems: number } | null>(null);
  useEffect(
    () =>
      live.subscribe(({ status }) => {
        if (!status) return;
        const now = { state: status.state, problems: status.problems.length };
        const was = before.current;
        before.current = now;
        if (!was) return;
        if (now.problems > was.problems) announce(`New problem: ${status.problems[0]?.text ?? ''}`);
        else if (now.problems < was.problems)
          announce(now.problems === 0 ? 'No problems any more.' : 'A problem is gone.');
        else if (now.state !== was.state) announce(`rdi is now ${now.state.toLowerCase()}.`);
      }),
    [],
  );
}
