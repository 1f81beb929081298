/** Small pieces that every page uses. */
import type { ComponentChildren, JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { ApiFailure } from '../state/api.ts';
import { visible, visibleLines } from '../state/figures.ts';

/** A name from outside: its own direction, what cannot be seen written out. */
export function Name({ text }: { text: string }): JSX.Element {
  return <bdi class="name">{visible(text)}</bdi>;
}

/** A text of several lines in fixed width, which can be scrolled with a keyboard. */
export function Code({ text, label }: { text: string; label: string }): JSX.Element {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable
    <section class="code" tabIndex={0} aria-label={label}>
      {visibleLines(text)}
    </section>
  );
}

/** What went wrong, with how to put it right where the API says so. */
export function Failure({ error }: { error: unknown }): JSX.Element | null {
  if (error === null || error === undefined) return null;
  const items = error instanceof ApiFailure ? error.errors.filter(({ message }) => message !== error.message) : [];
  return (
    <div class="failure" role="alert">
      <p>{visible(sentenceOf(error))}</p>
      {items.length > 0 && (
        <ul>
          {items.map(({ message, remediation }, index) => (
            <li key={index}>
              {visible(message)} {remediation && visible(remediation)}
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}

/** The sentence of an error. */
export function sentenceOf(error: unknown): string {
  return error instanceof Error ? error.message : 'Something went wrong in this page.';
}

export function Panel(props: { title: string; children: ComponentChildren; actions?: ComponentChildren }): JSX.Element {
  return (
    <section class="panel" aria-label={props.title}>
      <div class="panel-head">
        <h2>{props.title}</h2>
        {props.actions && <div class="actions">{props.actions}</div>}
      </div>
      {props.children}
    </section>
  );
}

/** A figure with what it counts. */
export function Figure(props: {
  label: string;
  value: ComponentChildren;
  note?: ComponentChildren;
  level?: string;
}): JSX.Element {
  return (
    <div class={`figure ${props.level ?? ''}`}>
      <dt>{props.label}</dt>
      <dd>
        {props.value}
        {props.note && <small>{props.note}</small>}
      </dd>
    </div>
  );
}

/** How much of something is used, 0 to 1. */
export function Bar({ share, label }: { share: number; label: string }): JSX.Element {
  const percent = Math.round(Math.min(1, Math.max(0, share)) * 100);
  return <progress max={100} value={percent} aria-label={label} title={`${label}: ${percent} %`} />;
}

/** A button that shows that it works, and what came of it when it failed. */
export function ActionButton(props: {
  children: ComponentChildren;
  run: () => Promise<unknown>;
  kind?: 'danger' | 'main';
  isDisabled?: boolean;
}): JSX.Element {
  const [isBusy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const act = async (): Promise<void> => {
    setBusy(true);
    setError(null);
    try {
      await props.run();
    } catch (failure) {
      setError(failure);
    } finally {
      setBusy(false);
    }
  };
  return (
    <>
      <button
        type="button"
        class={props.kind ?? ''}
        disabled={isBusy || props.isDisabled === true}
        aria-busy={isBusy}
        onClick={() => void act()}
      >
        {props.children}
      </button>
      <Failure error={error} />
    </>
  );
}

/** What a question to the API came to. `again` asks once more. */
export interface Answer<T> {
  readonly value: T | null;
  readonly error: unknown;
  readonly again: () => void;
}

/** Asks when the page is opened, and again whenever `about` changes; late answers to earlier questions are left out. */
export function useAnswer<T>(question: () => Promise<T>, about: readonly unknown[]): Answer<T> {
  const [answer, setAnswer] = useState<{ value: T | null; error: unknown }>({ value: null, error: null });
  const [round, setRound] = useState(0);
  useEffect(() => {
    let isCurrent = true;
    question().then(
      (value) => isCurrent && setAnswer({ value, error: null }),
      (error: unknown) => isCurrent && setAnswer((before) => ({ value: before.value, error })),
    );
    return () => {
      isCurrent = false;
    };
  }, [...about, round]);
  return { ...answer, again: () => setRound((count) => count + 1) };
}

/** Hands a text to the reader as a file. */
export function saveFile(name: string, content: string | Blob, type = 'text/yaml'): void {
  const url = URL.createObjectURL(content instanceof Blob ? content : new Blob([content], { type }));
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
