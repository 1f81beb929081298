import type { JSX } from 'preact';
import type { RetryReport } from '../../http/api-types.ts';
import { formatCount, visible } from '../state/figures.ts';
import { Panel } from './pieces.tsx';

/** What a retry came to, in one sentence. */
export function sentenceOfReport({ written, filtered, superseded, kept }: RetryReport): string {
  const parts = [`${formatCount(written)} written`];
  if (filtered > 0) parts.push(`${formatCount(filtered)} filtered`);
  if (superseded > 0) parts.push(`${formatCount(superseded)} left out, because a newer value is there`);
  parts.push(`${formatCount(kept)} still rejected`);
  return `Retried: ${parts.join(', ')}.`;
}

/** The outcome of a retry, and why records stayed. */
export function Report({ report }: { report: RetryReport | null }): JSX.Element | null {
  if (!report) return null;
  const reasons = new Map<string, number>();
  for (const { reason } of report.records) if (reason) reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
  return (
    <Panel title="Retry">
      <p data-testid="retry-report">{sentenceOfReport(report)}</p>
      <ul>
        {[...reasons].slice(0, 10).map(([reason, times]) => (
          <li key={reason}>
            {formatCount(times)} × {visible(reason)}
          </li>
        ))}
      </ul>
    </Panel>
  );
}
