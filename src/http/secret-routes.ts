import { z } from 'zod';
import type { Engine, SecretStatus } from '../control/index.ts';
import { type Api, HttpError } from './api.ts';
import { pipelineParams, secretStatus } from './shapes.ts';

const TAG = 'Secrets';
const BASE = '/api/v2/pipelines/{name}/secrets';

const keyParams = pipelineParams.extend({ key: z.string() });
const type = z
  .enum(['simple', 'file', 'binary_file'])
  .default('simple')
  .describe('`simple` and `file` hold text; the value of a `binary_file` is base64');
const value = z.string().describe('Never given out again');

/** Secrets by name, as RDI's API v2 has them. */
export function addSecretRoutes(api: Api): void {
  api.add({
    method: 'GET',
    path: BASE,
    tag: TAG,
    summary: 'List the names of secrets',
    params: pipelineParams,
    answer: z.array(secretStatus),
    handle: ({ engine }) => engine.secrets.list().map(view),
  });
  api.add({
    method: 'POST',
    path: BASE,
    tag: TAG,
    summary: 'Set a new secret',
    params: pipelineParams,
    body: z.object({ key: z.string().min(1), value, type, db: z.string().optional() }),
    status: 201,
    answer: secretStatus,
    failures: { 409: 'There is one of that name' },
    handle: async ({ engine, body: { key, value: text, type: kind } }) => {
      // One from elsewhere may be put in the shade; one that was set here is not overwritten by accident.
      if (find(engine, key)?.origin === 'store')
        throw new HttpError(409, `The secret ${key} exists. Change it with PUT.`);
      await engine.secrets.set(key, decodeValue(text, kind));
      return statusOf(engine, key);
    },
  });
  api.add({
    method: 'GET',
    path: `${BASE}/{key}`,
    tag: TAG,
    summary: 'Show where the value of a secret comes from',
    params: keyParams,
    answer: secretStatus,
    failures: { 404: 'No such secret' },
    handle: ({ engine, params: { key } }) => {
      const found = find(engine, key);
      if (found === undefined) throw noSecret(key);
      return view(found);
    },
  });
  api.add({
    method: 'PUT',
    path: `${BASE}/{key}`,
    tag: TAG,
    summary: 'Set a secret, new or not',
    params: keyParams,
    body: z.object({ value, type }),
    answer: secretStatus,
    handle: async ({ engine, params: { key }, body }) => {
      await engine.secrets.set(key, decodeValue(body.value, body.type));
      return statusOf(engine, key);
    },
  });
  api.add({
    method: 'DELETE',
    path: `${BASE}/{key}`,
    tag: TAG,
    summary: 'Delete a secret that was set here',
    params: keyParams,
    status: 204,
    answer: null,
    failures: { 404: 'None of that name was set here' },
    handle: async ({ engine, params: { key } }) => {
      if (!(await engine.secrets.delete(key))) throw noSecret(key);
    },
  });
}

function find({ secrets }: Engine, key: string): SecretStatus | undefined {
  return secrets.list().find(({ name }) => name === key);
}

function statusOf(engine: Engine, key: string): z.output<typeof secretStatus> {
  return view(find(engine, key) ?? { name: key, origin: 'store', isSet: true, isUsed: false });
}

function view({ name, ...rest }: SecretStatus): z.output<typeof secretStatus> {
  return { key: name, type: 'simple', ...rest };
}

function decodeValue(text: string, type: 'simple' | 'file' | 'binary_file'): string {
  if (type !== 'binary_file') return text;
  const bytes = Buffer.from(text, 'base64');
  const decoded = bytes.toString('utf8');
  if (Buffer.from(decoded, 'utf8').equals(bytes)) return decoded;
  throw new HttpError(422, 'A binary_file must be base64 of text: PEM files are, keystores are not used by rdi.');
}

function noSecret(key: string): HttpError {
  return new HttpError(404, `No secret ${key} was set here. GET …/secrets lists those that there are.`);
}
