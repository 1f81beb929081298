/**
 * Configuration: files, flags and variables in, accepted values out.
 *
 * **In:** a pipeline folder (`config.yaml`, `jobs/*.yaml`: RDI's own format) or the url of one target; an instance file
 * (`rdi.yaml`), flags and `RDI_*` variables. **Out:** a deeply frozen {@link LoadedPipeline} and {@link Instance}: effective
 * values in our units, connections with their certificates read, notices, and the secrets that nobody may print.
 *
 * Each value is declared once, in `schema-*.ts`: type and limits as a zod schema, and what it means as a `Field`. The
 * TypeScript types, the checks and their messages, what is secret, what has no effect, the flags, `docs/config.md` and the
 * JSON Schemas all come from there.
 *
 * **Promises:**
 * - All problems at once, each as `file:line:col: message`, with what is expected; a wrong name gets a "did you mean".
 *   Problems of a flag or variable name it instead. Only a file that is no YAML hides what else is wrong in it.
 * - A file that RDI accepts is accepted. What has no effect here, is out of date or overridden gives a notice.
 * - No problem, notice or error holds the value of a secret or of a variable.
 * - Strongest first: for a pipeline `processors.advanced`, `processors`, default; for an instance flag, variable, file,
 *   default.
 *
 * **Does not:** check jobs beyond YAML, reach for a database or the target, watch files, or decide exit codes.
 */
export { describeTarget } from './connection.ts';
export { loadInstance } from './instance.ts';
export { INSTANCE_OPTIONS } from './instance-options.ts';
export { isMaskable, maskDocument, unmaskDocument } from './mask.ts';
export { isLoopback, parseAge, parseDuration, parseHostPort, parseSize } from './parse.ts';
export {
  loadPipeline,
  loadPipelineDocument,
  pipelineForTarget,
  readPipelineDocument,
  referredSecrets,
  requireTarget,
} from './pipeline.ts';
export type { Resolution } from './placeholders.ts';
export { type SecretRequest, secretRequests } from './secret-requests.ts';
export { HIDDEN } from './secrets.ts';
export type * from './types.ts';
