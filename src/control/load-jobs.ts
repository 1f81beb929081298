import type { LoadedPipeline } from '../config/index.ts';
import { type JobContext, type ReadJobs, readJobs } from '../transform/index.ts';

/** Reads, checks and compiles the job files of a pipeline. With a problem in one of them no job may run. */
export function loadJobs(pipeline: LoadedPipeline): ReadJobs {
  return readJobs(pipeline.jobs, jobContextOf(pipeline));
}

/** What the jobs must know of their pipeline. */
function jobContextOf({ targets, sources, tables, settings }: LoadedPipeline): JobContext {
  return {
    connections: Object.keys(targets),
    sources,
    tables,
    keyTemplate: settings.keyTemplate,
    dataType: settings.targetDataType,
    jsonUpdate: settings.jsonUpdateStrategy,
    filterRemoves: settings.filterRemoves,
    strictKeys: settings.strictKeys,
  };
}
