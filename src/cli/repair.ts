import type { Command } from 'commander';
import { count } from '../lib/plain-words.ts';
import type { DamagedStretch, RepairReport } from '../streams/index.ts';
import type { AddCommand, Context } from './context.ts';
import { EXIT } from './exit-codes.ts';
import { type OutputFormat, print, withOutput } from './output.ts';
import { printable } from './terminal.ts';

export const addRepair: AddCommand = (program: Command, context: Context) => {
  const command = program
    .command('repair')
    .summary('find damage in the data folder; with --yes, cut it out and keep a copy')
    .description(
      'Reads the whole journal of a stopped rdi and lists what cannot be read: where, and which entries are lost. ' +
        'Changes nothing without --yes.\n\nWith --yes it keeps a copy of the damaged bytes in the folder “damaged” beside ' +
        'the journal, and marks the gap, so that rdi starts again and delivers everything else. What was lost can be ' +
        'fetched from the source by a new snapshot of its tables.',
    )
    .option(
      '--data-dir <folder>',
      'the data folder (variable RDI_DATA_DIR)',
      context.terminal.env['RDI_DATA_DIR'] ?? 'data',
    )
    .option('--yes', 'cut out what is damaged');
  withOutput(command).action(async (options: { dataDir: string; yes?: true; output: OutputFormat }) => {
    const { repairJournal } = await import('../streams/index.ts');
    const { systemClock } = await import('../lib/clock.ts');
    const report = await repairJournal({ folder: options.dataDir, apply: options.yes === true, clock: systemClock });
    if (report.damaged.length > 0 && !report.isRepaired) context.exitCode = EXIT.failed;
    await print(context.terminal, options.output, report, (result) => describe(result, options.dataDir));
  });
};

function describe(report: RepairReport, folder: string): string {
  const { damaged, tornBytes, isRepaired } = report;
  const lines = damaged.flatMap((stretch) => describeStretch(stretch, isRepaired));
  if (tornBytes > 0) {
    lines.push(`${count(tornBytes, 'byte')} at the end were never acknowledged; the next start cuts them off.`);
  }
  if (damaged.length === 0) lines.push(`Nothing is damaged in ${folder}.`);
  else if (isRepaired) lines.push(`Repaired ${count(damaged.length, 'place')}. Start rdi again.`);
  else
    lines.push(`${count(damaged.length, 'place')} to repair. Run it again with --yes to go on without these entries.`);
  return `${lines.join('\n')}\n`;
}

function describeStretch({ file, offset, length, bytes, copy, lost }: DamagedStretch, isRepaired: boolean): string[] {
  const what = bytes === 0 ? 'missing' : 'damaged';
  const lines = [`${file} at byte ${offset}: ${count(length, 'byte')} ${what}`];
  for (const { stream, count: entries, before, after } of lost) {
    const place = `${before ? `after ${before}` : 'from the first one on'}${after ? `, before ${after}` : ''}`;
    lines.push(`  lost: ${count(entries, 'entry', 'entries')} of ${printable(stream)}, ${place}`);
  }
  if (lost.length === 0) lines.push('  lost: no entry that can be told from what is left');
  if (bytes > 0) lines.push(`  copy of the damaged bytes: ${copy}${isRepaired ? '' : ' (with --yes)'}`);
  return lines;
}
