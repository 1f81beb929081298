import type { Command } from 'commander';
import type { Diagnosis, Finding, Severity } from '../doctor/index.ts';
import { count } from '../lib/plain-words.ts';
import { type ApiOptions, connectApi, withApi } from './api.ts';
import type { AddCommand, Context } from './context.ts';
import { EXIT } from './exit-codes.ts';
import { type OutputFormat, print, withOutput } from './output.ts';
import { paint, printable, type Terminal } from './terminal.ts';

interface DoctorOptions extends ApiOptions {
  readonly dir: string;
  readonly instance?: string;
  readonly strict: boolean;
  readonly output: OutputFormat;
}

export const addDoctor: AddCommand = (program: Command, context: Context) => {
  const command = program
    .command('doctor')
    .summary('find out what is wrong, and how to mend it')
    .description(
      'Looks at the configuration, the targets, the data folder and its disk, the ports, and when rdi runs at its feeders and ' +
        'what they send. Changes nothing. Ends with 1 when there is an error, with --strict also when there is a warning; ' +
        'else with 0. Every finding is explained in docs/doctor.md.',
    )
    .option('--dir <folder>', 'the pipeline folder', '.')
    .option('--instance <file>', 'the instance file, where it is not rdi.yaml of the folder')
    .option('--strict', 'take warnings for errors', false);
  withOutput(withApi(command)).action(async (options: DoctorOptions) => {
    const { terminal } = context;
    const { diagnose } = await import('../doctor/index.ts');
    const { withSecretFiles } = await import('../secrets/index.ts');
    const diagnosis = await diagnose({
      dir: options.dir,
      instanceFile: options.instance,
      env: withSecretFiles(terminal.env),
      connect: () => connectApi(context, options),
      mustRun: options.apiUrl !== undefined || options.context !== undefined,
    });
    const { error, warning } = diagnosis.counts;
    if (error > 0 || (options.strict && warning > 0)) context.exitCode = EXIT.failed;
    await print(terminal, options.output, diagnosis, (found) => describe(found, terminal));
  });
};

const MARKS: Readonly<Record<Severity, { sign: string; style: Parameters<typeof paint>[1] }>> = {
  error: { sign: '✗', style: 'red' },
  warning: { sign: '!', style: 'yellow' },
  info: { sign: 'i', style: 'dim' },
  ok: { sign: '✓', style: 'green' },
};

function describe({ findings, counts }: Diagnosis, terminal: Terminal): string {
  const lines = findings.map((finding) => describeFinding(finding, terminal));
  const sums = [count(counts.error, 'error'), count(counts.warning, 'warning'), `${counts.ok} fine`];
  return `${lines.join('')}\n${sums.join(', ')}. docs/doctor.md explains each finding.\n`;
}

function describeFinding({ severity, check, what, where, fix }: Finding, terminal: Terminal): string {
  const { sign, style } = MARKS[severity];
  const place = paint(terminal, 'dim', printable(where === '' ? check : `${check}, ${where}`));
  const remedy = fix === undefined ? '' : `    ${printable(fix)}\n`;
  return `${paint(terminal, style, sign)} ${printable(what)}  ${place}\n${remedy}`;
}
