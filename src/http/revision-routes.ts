import { z } from 'zod';
import type { PipelineDocument } from '../config/index.ts';
import type { Engine } from '../control/index.ts';
import { type Api, HttpError, OtherAnswer } from './api.ts';
import { deployDocument, requireValid } from './changes.ts';
import { deployment, deploymentCheck, pipelineDocument, pipelineParams, queryFlag, revision } from './shapes.ts';

const TAG = 'Revisions';
const BASE = '/api/v2/pipelines/{name}/revisions';

const numberParams = pipelineParams.extend({ number: z.coerce.number().int().min(1) });

/** What was deployed, as texts: ours. */
export function addRevisionRoutes(api: Api): void {
  api.add({
    method: 'GET',
    path: BASE,
    tag: TAG,
    summary: 'List what was deployed',
    params: pipelineParams,
    answer: z.array(revision),
    handle: ({ engine }) => engine.pipeline.revisions(),
  });
  api.add({
    method: 'GET',
    path: `${BASE}/{number}`,
    tag: TAG,
    summary: 'Show the texts of a revision, secrets masked',
    params: numberParams,
    answer: revision.extend({ document: pipelineDocument }),
    failures: { 404: 'No such revision' },
    handle: ({ engine, params: { number } }) => {
      const found = engine.pipeline.revision(number);
      if (found === null) throw noRevision(number);
      return found;
    },
  });
  api.add({
    method: 'POST',
    path: BASE,
    tag: TAG,
    summary: 'Check texts, and deploy them as a new revision',
    params: pipelineParams,
    query: z.object({ dry_run: queryFlag.describe('Only check; answers 200') }),
    body: z.strictObject({
      document: pipelineDocument,
      note: z.string().max(1000).optional(),
      start: z.boolean().optional().describe('Start a stopped pipeline, too'),
    }),
    status: 201,
    answer: deployment,
    otherAnswers: { 200: deploymentCheck },
    handle: async ({ engine, query, body }) => {
      const document = withFolder(engine, body.document);
      if (query.dry_run === true) return new OtherAnswer(200, await engine.pipeline.check(document));
      return deployDocument(engine, document, {
        origin: 'deploy',
        ...(body.note === undefined ? {} : { note: body.note }),
        ...(body.start === undefined ? {} : { start: body.start }),
      });
    },
  });
  api.add({
    method: 'POST',
    path: `${BASE}/{number}/rollback`,
    tag: TAG,
    summary: 'Deploy the texts of an earlier revision again',
    params: numberParams,
    status: 201,
    answer: deployment,
    failures: { 404: 'No such revision' },
    handle: async ({ engine, params: { number } }) => {
      const result = await engine.pipeline.rollback(number);
      if (result === null) throw noRevision(number);
      return requireValid(result);
    },
  });
}

/** Whoever deploys from elsewhere has no folder here: relative paths start where they did, or where rdi was started. */
function withFolder({ pipeline }: Engine, document: PipelineDocument): PipelineDocument {
  return { ...document, folder: document.folder || pipeline.document?.folder || process.cwd() };
}

function noRevision(number: number): HttpError {
  return new HttpError(404, `There is no revision ${number}. rdi list-revisions shows those that are there.`);
}
