import type { JSX } from 'preact';
import type { JobTrial, RehearsedCommand, RehearsedEvent } from '../../http/api-types.ts';
import { changedFields, type FieldChange, prettyJson, visible } from '../state/figures.ts';
import { Code, Name } from './pieces.tsx';

const OUTCOMES: Readonly<Record<RehearsedEvent['outcome'], [level: string, words: string]>> = {
  written: ['good', 'written'],
  filtered: ['warn', 'filtered out'],
  rejected: ['bad', 'rejected'],
  skipped: ['warn', 'skipped'],
};

/** What a job makes of an event: the row behind each block, the commands for each connection, the outcome. */
export function TrialView({ trial }: { trial: JobTrial }): JSX.Element {
  const { result } = trial;
  if (!result) return <p class="quiet">Nothing was run, because the job has mistakes.</p>;
  const [level, words] = OUTCOMES[result.outcome] ?? ['warn', result.outcome];
  return (
    <div data-testid="trial">
      <p>
        <span class={`mark ${level}`} data-testid="outcome">
          {words}
        </span>{' '}
        {result.job && <>by job {visible(result.job)} </>}
        {result.table && (
          <span class="quiet">
            {visible(result.table)} {visible(result.op)}
          </span>
        )}
      </p>
      {result.reason && <p class="failure">{visible(result.reason)}</p>}
      <Steps result={result} />
      {result.lookups.map(({ command, isUnanswered }, index) => (
        <p key={index}>
          Lookup <code>{visible(command.join(' '))}</code>
          {isUnanswered && <span class="mark warn">found nothing</span>}
        </p>
      ))}
      {byConnection(result.commands).map(([connection, commands]) => (
        <section key={connection} aria-label={`Commands for ${connection}`}>
          <h3>
            Commands for <Name text={connection} />
          </h3>
          <ol class="commands" data-testid="commands">
            {commands.map(({ words: parts }, index) => (
              <li key={index}>{parts.map(quoted).join(' ')}</li>
            ))}
          </ol>
        </section>
      ))}
      {result.commands.length === 0 && <p class="quiet">No commands.</p>}
    </div>
  );
}

/** The record as it came and behind each block, with what the block changed. */
function Steps({ result }: { result: RehearsedEvent }): JSX.Element {
  const first = result.after ?? result.before;
  return (
    <ol class="steps" data-testid="steps">
      {first !== null && (
        <li>
          <details>
            <summary>the row as it came</summary>
            <Code label="Row as it came" text={prettyJson(first)} />
          </details>
        </li>
      )}
      {result.blocks.map(({ step, record }, index) => (
        <li key={step}>
          <details>
            <summary>
              {visible(step)} {record === null && <span class="mark warn">filtered out here</span>}
            </summary>
            {record !== null && <Code label={`Record behind ${step}`} text={prettyJson(record)} />}
          </details>
          <Changes fields={changedFields(result.blocks[index - 1]?.record ?? first, record)} />
        </li>
      ))}
    </ol>
  );
}

function Changes({ fields }: { fields: readonly FieldChange[] }): JSX.Element | null {
  if (fields.length === 0) return null;
  return (
    <pre class="code diff changes">
      {fields.flatMap(({ name, before, after }) => [
        before !== null && <span key={`-${name}`} class="removed">{`- ${visible(`${name}: ${before}`)}\n`}</span>,
        after !== null && <span key={`+${name}`} class="added">{`+ ${visible(`${name}: ${after}`)}\n`}</span>,
      ])}
    </pre>
  );
}

function byConnection(commands: readonly RehearsedCommand[]): [string, RehearsedCommand[]][] {
  return Object.entries(Object.groupBy(commands, ({ connection }) => connection)).map(([name, own]) => [
    name,
    own ?? [],
  ]);
}

/** A word of a command as redis-cli would take it. */
function quoted(word: string): string {
  const text = visible(word);
  return text === '' || /["'\s\\]/.test(text) ? JSON.stringify(text) : text;
}
