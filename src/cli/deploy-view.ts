import type { Deployment, DeploymentCheck, FileDifference } from '../control/index.ts';
import { formatProblem } from '../errors.ts';
import { count } from '../lib/plain-words.ts';
import { paint, printable, type Terminal } from './terminal.ts';

type Screen = Pick<Terminal, 'isScreen'>;

/** The unified diffs, coloured on a screen; empty when nothing differs. */
export function formatDifferences(differences: readonly FileDifference[], screen: Screen): string {
  return differences
    .map(({ file, change, diff }) => {
      const heading = paint(screen, 'bold', `${printable(file)} (${change})`);
      const all = diff.split('\n');
      // What stands before the first hunk names the file, as our heading does.
      const lines = all.slice(
        Math.max(
          0,
          all.findIndex((line) => line.startsWith('@@')),
        ),
      );
      return `${heading}\n${lines.map((line) => `${colored(shown(line), screen)}\n`).join('')}`;
    })
    .join('');
}

function shown(line: string): string {
  return line.split('\t').map(printable).join('\t');
}

function colored(line: string, screen: Screen): string {
  if (line.startsWith('+')) return paint(screen, 'green', line);
  if (line.startsWith('-')) return paint(screen, 'red', line);
  return line.startsWith('@@') ? paint(screen, 'dim', line) : line;
}

/** Problems, one per line: `file:line:col: message`, and how many there are. */
export function formatProblems({ problems }: Pick<DeploymentCheck, 'problems'>): string {
  return `${problems.map((problem) => printable(formatProblem(problem))).join('\n')}\n${count(problems.length, 'problem')}\n`;
}

/** Notices, one per line. */
export function formatNotices({ notices }: Pick<DeploymentCheck, 'notices'>): string {
  return notices
    .map((notice) => `${printable(formatProblem({ ...notice, message: `${notice.level}: ${notice.message}` }))}\n`)
    .join('');
}

/** What became of it, in one sentence. */
export function formatDeployment({ revision, differences }: Deployment): string {
  if (revision === null) return 'Nothing was deployed.\n';
  if (differences.length === 0) return `Nothing differs from revision ${revision.number}, which stays in force.\n`;
  return `Revision ${revision.number} is in force.\n`;
}
