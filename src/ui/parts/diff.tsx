import type { JSX } from 'preact';
import type { FileDifference } from '../../http/api-types.ts';
import { visibleLines } from '../state/figures.ts';
import { Name } from './pieces.tsx';

/** What a change does to each file, as unified diffs. The sign at the start of a line says the same as its colour. */
export function Differences({ files }: { files: readonly FileDifference[] }): JSX.Element {
  if (files.length === 0) return <p class="quiet">Nothing differs from what is deployed.</p>;
  return (
    <div data-testid="diff">
      {files.map(({ file, change, diff }) => (
        <section key={file} aria-label={`Difference of ${file}`}>
          <h3>
            <Name text={file} /> <span class="quiet">{change}</span>
          </h3>
          {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable */}
          <pre class="code diff" tabIndex={0}>
            {diff
              .replace(/\n$/, '')
              .split('\n')
              .map((line, index) => (
                <span key={index} class={classOf(line)}>
                  {`${visibleLines(line)}\n`}
                </span>
              ))}
          </pre>
        </section>
      ))}
    </div>
  );
}

function classOf(line: string): string {
  if (/^(\+\+\+|---|===|Index:|\\)/.test(line)) return 'quiet';
  if (line.startsWith('@@')) return 'hunk';
  if (line.startsWith('+')) return 'added';
  return line.startsWith('-') ? 'removed' : '';
}
