/**
 * Doctor: looks at everything that must be right for data to flow, and says what to do where it is not.
 *
 * **In:** a pipeline folder, the variables of the process, and where there is one a running rdi, through its API. **Out:** a
 * {@link Diagnosis}: findings, errors first, each with what, where and how to mend it.
 *
 * **Promises:** works without a network and without a running rdi: what cannot be looked at gives a finding or none, never a
 * failure. Everything is looked at side by side, each with a time limit, so that it takes a few seconds. Nothing is changed: the
 * target is asked and not written to, feeders do not notice, the data folder gets a scratch file that is removed at once.
 * No finding holds a secret. Names of checks do not change between versions (`checks.ts`, `docs/doctor.md`).
 *
 * **Does not:** reach for source databases (only their feeders do that), or repair anything.
 *
 * It is a room of its own above `control`, because it looks from outside: it must work where no engine starts. It knows the
 * rooms `config` and `write` and the shapes of `control`; `cli` and the support package use it.
 */
import type { Environment } from '../config/index.ts';
import type { SecretStatus, Status } from '../control/index.ts';
import { RdiError } from '../errors.ts';
import { VERSION } from '../lib/version.ts';
import { examineConfiguration } from './configuration.ts';
import { examineDataFolder } from './data-folder.ts';
import { examinePorts } from './ports.ts';
import { examineFeederState, examineSecrets, examineStatus } from './running.ts';
import { examineTarget } from './target.ts';
import type { Diagnosis, Finding, Report, Severity } from './types.ts';

export { CHECKS } from './checks.ts';
export type { Diagnosis, Finding, Severity } from './types.ts';

/** What a running rdi answers to; `get` throws an RdiError when it cannot be reached. */
export interface RunningApi {
  readonly address: string;
  get<T>(path: string): Promise<T>;
}

export interface DiagnosisOptions {
  readonly dir: string;
  readonly instanceFile?: string | undefined;
  readonly env: Environment;
  /** Throws an RdiError when there is none, or it does not let us in. */
  readonly connect: () => Promise<RunningApi>;
  /** The person said where rdi runs, so that it must be there. */
  readonly mustRun: boolean;
}

/** Looks at everything. Never throws for what it finds. */
export async function diagnose(options: DiagnosisOptions): Promise<Diagnosis> {
  const findings: Finding[] = [];
  const report: Report = (severity, check, where, what, fix) => {
    findings.push({ check, severity, what, where, ...(fix === undefined ? {} : { fix }) });
  };
  const [{ pipeline, instance }, running] = await Promise.all([
    examineConfiguration(options, report),
    readRunning(options, report),
  ]);
  const targets = Object.entries(pipeline?.targets ?? {});
  const tasks = targets.map(([name, connection]) => examineTarget(name, connection, pipeline!, report));
  if (running !== null) {
    examineStatus(running.status, report);
    examineSecrets(running, report);
    tasks.push(examineFeederState(running.status, instance, running.sourceTypes, report));
  }
  if (instance !== null) {
    const { dataDir, diskLimitBytes } = instance;
    const isServed = running?.status.store.dataDir === dataDir;
    tasks.push(examineDataFolder({ dataDir, diskLimitBytes, isServed }, report));
    tasks.push(examinePorts(instance, running, report));
  }
  for (const { status, reason } of (await Promise.allSettled(tasks)) as PromiseRejectedResult[]) {
    if (status === 'rejected') throw reason;
  }
  return diagnosis(findings);
}

const RANKS: readonly Severity[] = ['error', 'warning', 'info', 'ok'];

function diagnosis(findings: readonly Finding[]): Diagnosis {
  const sorted = findings.toSorted((a, b) => RANKS.indexOf(a.severity) - RANKS.indexOf(b.severity));
  const number = (severity: Severity) => findings.filter((finding) => finding.severity === severity).length;
  const counts = { ok: number('ok'), info: number('info'), warning: number('warning'), error: number('error') };
  return { at: Date.now(), version: VERSION, counts, findings: sorted };
}

/** What a running rdi says of itself. */
interface Running {
  readonly address: string;
  readonly status: Status;
  readonly secrets: readonly SecretStatus[];
  readonly sourceTypes: readonly string[];
}

async function readRunning({ connect, mustRun }: DiagnosisOptions, report: Report): Promise<Running | null> {
  let api: RunningApi;
  let status: Status;
  try {
    api = await connect();
    status = await api.get<Status>('/api/v2/overview');
  } catch (error) {
    if (!(error instanceof RdiError)) throw error;
    const isAbsent = error.code === 'API_UNREACHABLE';
    const what = isAbsent ? `No running rdi is asked: ${error.message}` : error.message;
    report(isAbsent && !mustRun ? 'info' : 'error', 'api', '--api-url', what, isAbsent ? undefined : error.fix);
    return null;
  }
  const { address } = api;
  if (status.version === VERSION) report('ok', 'api', address, `rdi ${status.version} runs (${status.state}).`);
  else {
    const what = `rdi ${status.version} runs (${status.state}), and this command is of version ${VERSION}.`;
    report('info', 'api', address, what, 'Use the same executable for both.');
  }
  const secrets = await readSecrets(api);
  const sourceTypes = (status.pipeline?.sources ?? []).map(({ dbType }) => dbType);
  return { address, status, secrets, sourceTypes };
}

/** Older versions do not list secrets. */
async function readSecrets(api: RunningApi): Promise<readonly SecretStatus[]> {
  try {
    const listed = await api.get<ListedSecret[]>('/api/v2/pipelines/default/secrets');
    return listed.map(toSecret);
  } catch (error) {
    if (error instanceof RdiError) return [];
    throw error;
  }
}

/** As `GET …/secrets` lists them. */
type ListedSecret = Omit<SecretStatus, 'name'> & { readonly key: string };

function toSecret({ key, origin, isSet, isUsed }: ListedSecret): SecretStatus {
  return { name: key, origin, isSet, isUsed };
}
