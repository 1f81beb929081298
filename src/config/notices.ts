import type { z } from 'zod';
import { fieldOf, memberSchema } from './declare.ts';
import type { PipelineInput } from './schema-pipeline.ts';
import { advancedProcessors } from './schema-processors.ts';
import { effectiveSettings } from './settings.ts';
import { formatPath, type PathProblem } from './validate.ts';

export interface PathNotice extends PathProblem {
  readonly level: 'info' | 'warn';
}

/** What is accepted without effect, or will not be accepted for ever: from the declarations, for every key written. */
export function declaredNotices(
  content: unknown,
  schema: z.ZodType,
  path: readonly PropertyKey[] = [],
  unused = false,
): PathNotice[] {
  const notices: PathNotice[] = [];
  const { deprecated, noEffect } = fieldOf(schema);
  const name = `\`${formatPath(path)}\``;
  if (deprecated !== undefined) {
    notices.push({
      path,
      onKey: true,
      level: 'warn',
      message: `${name} is out of date and has no effect: ${deprecated}`,
    });
  } else if (noEffect !== undefined && !unused) {
    notices.push({
      path,
      onKey: true,
      level: 'info',
      message: `${name} is accepted and has no effect here: ${noEffect}`,
    });
  }
  if (content === null || typeof content !== 'object') return notices;
  for (const [key, inner] of Object.entries(content)) {
    const step = Array.isArray(content) ? Number(key) : key;
    const innerSchema = memberSchema(schema, step, content);
    if (innerSchema === undefined) continue;
    notices.push(...declaredNotices(inner, innerSchema, [...path, step], unused || noEffect !== undefined));
  }
  return notices;
}

/** What an accepted pipeline does differently from what its author may think. */
export function pipelineNotices(pipeline: PipelineInput): PathNotice[] {
  const notices: PathNotice[] = [];
  const warn = (path: PropertyKey[], message: string) => notices.push({ path, onKey: true, level: 'warn', message });
  processorNotices(pipeline, warn);
  for (const [id, source] of Object.entries(pipeline.sources ?? {})) {
    if (!/^[a-z](?:[a-z0-9-]{0,20}[a-z0-9])?$/.test(id) || id === 'rdi' || id === 'target') {
      warn(
        ['sources', id],
        `RDI 2.0 does not take \`${id}\` as the id of a source: at most 22 of \`a-z 0-9 -\`, not \`rdi\` or \`target\``,
      );
    }
    for (const [name, group] of Object.entries(source.advanced ?? {}))
      warnIfEmpty(['sources', id, 'advanced', name], group);
    if (source.advanced !== undefined) warnIfEmpty(['sources', id, 'advanced'], source.advanced);
  }
  if (pipeline.targets?.['target'] === undefined) {
    warn(
      pipeline.targets === undefined ? [] : ['targets'],
      'there is no target named `target`: the pipeline is valid, but nothing can run without one',
    );
  }
  return notices;

  function warnIfEmpty(path: PropertyKey[], group: unknown): void {
    if (typeof group !== 'object' || group === null || Object.keys(group).length > 0) return;
    warn(path, `\`${formatPath(path)}\` is empty; RDI does not accept that`);
  }
}

function processorNotices(pipeline: PipelineInput, warn: (path: PropertyKey[], message: string) => void): void {
  const processors = pipeline.processors;
  if (processors === undefined || processors === null) return;
  const written: Record<string, unknown> = processors;
  const settings = effectiveSettings(processors);
  const { advanced } = processors;
  if (advanced !== undefined && Object.keys(advanced).length === 0) {
    warn(['processors', 'advanced'], '`processors.advanced` is empty; RDI does not accept that');
  }
  for (const [groupName, group] of Object.entries(advanced ?? {})) {
    if (group === undefined) continue;
    if (Object.keys(group).length === 0) {
      warn(
        ['processors', 'advanced', groupName],
        `\`processors.advanced.${groupName}\` is empty; RDI does not accept that`,
      );
    }
    for (const alias of overriddenAliases(groupName, group)) {
      if (written[alias.name] === undefined) continue;
      warn(
        ['processors', alias.name],
        `\`processors.${alias.name}\` is overridden by \`processors.advanced.${groupName}.${alias.by}\``,
      );
    }
  }
  const wantedWrite = advanced?.target?.['batch.size'] ?? processors.write_batch_size;
  if (wantedWrite !== undefined && wantedWrite > settings.writeBatchSize) {
    const path =
      advanced?.target?.['batch.size'] === undefined
        ? ['processors', 'write_batch_size']
        : ['processors', 'advanced', 'target', 'batch.size'];
    warn(path, `\`${formatPath(path)}\` ${wantedWrite} is cut to the read batch size, ${settings.readBatchSize}`);
  }
  if (processors.error_handling === 'keep' || processors.error_handling === 'reject') {
    warn(['processors', 'error_handling'], `\`${processors.error_handling}\` is an old word; it means \`dlq\``);
  }
  if (processors.on_reject === 'park_key' && settings.errorHandling !== 'dlq') {
    warn(
      ['processors', 'on_reject'],
      `\`park_key\` has no effect, because \`error_handling\` is \`${settings.errorHandling}\`; it needs \`dlq\``,
    );
  }
}

/** The top-level properties that values of an advanced group override. */
function overriddenAliases(groupName: string, group: object): { name: string; by: string }[] {
  const groupSchema = memberSchema(advancedProcessors, groupName, undefined);
  if (groupSchema === undefined) return [];
  return Object.keys(group).flatMap((by) => {
    const schema = memberSchema(groupSchema, by, group);
    const name = schema === undefined ? undefined : fieldOf(schema).alias;
    return name === undefined ? [] : [{ name, by }];
  });
}
