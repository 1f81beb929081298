import { createHash } from 'node:crypto';
import { closestWord } from '../../lib/closest.ts';
import { type Call, type Run, refuse, refuseLiteral } from './jmespath-call.ts';
import type { JobValue } from './types.ts';
import { sortedJson } from './values.ts';

/** Names that jobs use, and what OpenSSL calls them. */
const ALGORITHMS: ReadonlyMap<string, string> = new Map([
  ...['md5', 'sha1', 'sha224', 'sha256', 'sha384', 'sha512'].map((name) => [name, name] as const),
  ...['224', '256', '384', '512'].map((bits) => [`sha3_${bits}`, `sha3-${bits}`] as const),
  ['blake2b', 'blake2b512'],
  ['blake2s', 'blake2s256'],
]);

/** `hash(x, name?)`: null is hashed as nothing, other values than text as compact JSON with sorted names. */
export function prepareHash(call: Call): Run {
  const literal = call.args[1]?.literal;
  if (typeof literal === 'string' && !ALGORITHMS.has(literal)) refuseLiteral(call, 1, problemOf(literal));
  return (x, name) => {
    const algorithm = ALGORITHMS.get((name as string | null) ?? 'sha1');
    if (algorithm === undefined) return refuse(call, 1, problemOf(name as string));
    return createHash(algorithm).update(bytesOf(x)).digest('hex');
  };
}

function problemOf(name: string): string {
  const names = [...ALGORITHMS.keys()];
  const close = closestWord(name, names);
  return `names no known hash${close ? `; did you mean ${close}?` : `. Known are ${names.join(', ')}`}`;
}

function bytesOf(x: JobValue): string {
  if (x === null) return '';
  return typeof x === 'string' ? x : sortedJson(x);
}
