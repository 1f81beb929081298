import type { CompiledExpression, LookupDefinition } from '../definition.ts';
import {
  compile,
  EXPRESSION_KEYS,
  readCache,
  readExpressionAt,
  readLanguage,
  textOfExpression,
  withText,
} from './expression.ts';
import { judgeCommand } from './lookup-commands.ts';
import { type Reading, readConnection, readFieldPath, warnOfUnreachable } from './reading.ts';
import type { Section } from './section.ts';

export const LOOKUP_KEYS = [
  'connection',
  'cmd',
  'args',
  'language',
  'field',
  'when',
  'cache',
  'lookup_cache',
  'batch',
] as const;
export const BATCH_KEYS = ['size', 'timeout_ms'];

const DEFAULT_BATCH = { size: 200, timeoutMs: 100 };

/** Reads and compiles a `redis.lookup`; null after a problem. */
export function readLookup(reading: Reading, block: Section): LookupDefinition | null {
  const connection = readConnection(block, reading.context);
  const args = readArguments(reading, block);
  const command = readCommand(block, args);
  const when = block.has('when') ? readExpressionAt(block, 'when', EXPRESSION_KEYS) : null;
  warnOfUnreachable(reading, block, [...block.at('when'), 'expression'], when);
  const lookupCache = readCache(block, 'lookup_cache');
  const batch = readBatch(block);
  const field = readFieldPath(block, 'field');
  if (field !== null) reading.fields.add(field);
  if (connection === null || command === null || args === null || field === null) return null;
  if (when === null && block.has('when')) return null;
  return { uses: 'redis.lookup', step: block.title, connection, command, args, field, when, lookupCache, batch };
}

function readCommand(block: Section, args: readonly CompiledExpression[] | null): readonly string[] | null {
  const text = block.text('cmd');
  if (text === null) return null;
  const command = text.trim().toUpperCase().split(/\s+/);
  if (command[0] === '') return block.wrong('cmd', 'a Redis command such as HGET');
  const { problem, isUnknown } = judgeCommand(command, args?.map(constantText) ?? []);
  if (problem !== null) return block.problem('cmd', problem);
  if (isUnknown) block.warn('cmd', `\`${command[0]}\` is no command that rdi knows; make sure that it only reads`);
  return command;
}

/** The text of an argument that is the same for every record, else null. */
function constantText(argument: CompiledExpression): string | null {
  if (argument.isVolatile || argument.reads === null || argument.reads.length > 0) return null;
  try {
    const value = argument.evaluate(new Map());
    return typeof value === 'string' ? value : null;
  } catch {
    return null;
  }
}

function readArguments(reading: Reading, block: Section): readonly CompiledExpression[] | null {
  const language = readLanguage(block);
  const cache = readCache(block, 'cache');
  const content = block.value('args');
  if (!Array.isArray(content)) return block.wrong('args', 'a list of expressions, one for each argument');
  const compiled = content.map((value: unknown, index) => {
    const path = [...block.at('args'), index];
    const text = textOfExpression(value);
    if (text === null) {
      reading.findings.problem(path, block.told(`\`args[${index}]\` must be the text of an expression`));
      return null;
    }
    const expression = language === null ? null : compile(block, path, text, language);
    if (expression === null || language === null) return null;
    const argument = withText(block, expression, text, language, cache);
    warnOfUnreachable(reading, block, path, argument);
    return argument;
  });
  return language === null || compiled.includes(null) ? null : (compiled as CompiledExpression[]);
}

function readBatch(block: Section): LookupDefinition['batch'] {
  const batch = block.has('batch') ? block.section('batch', 'a map {size: …, timeout_ms: …}') : null;
  if (batch === null) return DEFAULT_BATCH;
  batch.allow(BATCH_KEYS);
  return {
    size: batch.positive('size', DEFAULT_BATCH.size),
    timeoutMs: batch.positive('timeout_ms', DEFAULT_BATCH.timeoutMs),
  };
}
