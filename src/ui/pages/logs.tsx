import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { LogLine } from '../../http/api-types.ts';
import { Failure } from '../parts/pieces.tsx';
import { readLog } from '../state/api.ts';
import { visible } from '../state/figures.ts';

const LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal'];
const KEPT_LINES = 2000;

/** The log of the process as it grows, with a level and a word to look for. */
export function LogsPage(): JSX.Element {
  const [level, setLevel] = useState('info');
  const [word, setWord] = useState('');
  const [isFollowing, setFollowing] = useState(true);
  const { lines, error } = useLog();
  const box = useRef<HTMLDivElement>(null);
  const wanted = word.trim().toLowerCase();
  const shown = lines.filter(
    (line) => LEVELS.indexOf(line.level) >= LEVELS.indexOf(level) && textOf(line).toLowerCase().includes(wanted),
  );
  const newest = shown.at(-1)?.number;
  useEffect(() => {
    if (isFollowing && box.current) box.current.scrollTop = box.current.scrollHeight;
  }, [newest, isFollowing]);
  return (
    <>
      <h1>Logs</h1>
      <form class="filters" onSubmit={(event) => event.preventDefault()}>
        <label>
          Level from{' '}
          <select value={level} onChange={(event) => setLevel(event.currentTarget.value)}>
            {LEVELS.map((name) => (
              <option key={name}>{name}</option>
            ))}
          </select>
        </label>
        <label>
          Search <input type="search" value={word} onInput={(event) => setWord(event.currentTarget.value)} />
        </label>
        <label>
          <input
            type="checkbox"
            checked={isFollowing}
            onChange={(event) => setFollowing(event.currentTarget.checked)}
          />{' '}
          Follow
        </label>
        <span class="quiet">
          {shown.length} of {lines.length} lines
        </span>
      </form>
      <Failure error={error} />
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable */}
      <div class="log" ref={box} tabIndex={0} role="log" aria-label="Log" aria-live="off">
        {shown.map((line) => (
          <div key={line.number} class={`log-line ${line.level}`}>
            <time>{line.time.slice(11, 23)}</time> <b>{line.level}</b> {visible(textOf(line))}
          </div>
        ))}
        {shown.length === 0 && <p class="quiet">No line fits.</p>}
      </div>
    </>
  );
}

function textOf({ message, fields }: LogLine): string {
  const rest = Object.entries(fields).map(
    ([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`,
  );
  return [message, ...rest].join('  ');
}

/** The newest lines, asked for once a second while somebody looks. */
function useLog(): { lines: readonly LogLine[]; error: unknown } {
  const [state, setState] = useState<{ lines: readonly LogLine[]; error: unknown }>({ lines: [], error: null });
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    let isOpen = true;
    let lines: readonly LogLine[] = [];
    const ask = async (): Promise<void> => {
      try {
        if (!document.hidden) lines = joined(lines, await readLog(lines.at(-1)?.number ?? 0, 1000));
        if (isOpen) setState({ lines, error: null });
      } catch (error) {
        // After a restart numbers begin anew.
        lines = [];
        if (isOpen) setState((before) => ({ ...before, error }));
      }
      if (isOpen) timer = setTimeout(() => void ask(), 1000);
    };
    void ask();
    return () => {
      isOpen = false;
      clearTimeout(timer);
    };
  }, []);
  return state;
}

function joined(lines: readonly LogLine[], fresh: readonly LogLine[]): readonly LogLine[] {
  return fresh.length === 0 ? lines : [...lines, ...fresh].slice(-KEPT_LINES);
}
