import { UNAVAILABLE } from '../types.ts';
import type { CommandSink, Writable } from './encode.ts';
import type { Unit } from './fold.ts';

/**
 * Makes a hash exactly what is given, in one go; an earlier time to live ends.
 *
 * KEYS[1] the hash; ARGV[1] how many fields keep what is stored, then their names; then fields and values to set. HLEN
 * refuses keys of other types, which DEL would remove.
 */
export const HASH_SCRIPT = `
redis.call('HLEN', KEYS[1])
local first = tonumber(ARGV[1]) + 2
local kept = {}
for at = 2, first - 1 do
  local value = redis.call('HGET', KEYS[1], ARGV[at])
  if value then
    kept[#kept + 1] = ARGV[at]
    kept[#kept + 1] = value
  end
end
redis.call('DEL', KEYS[1])
for at = first, #ARGV, 1000 do
  redis.call('HSET', KEYS[1], unpack(ARGV, at, math.min(at + 999, #ARGV)))
end
for at = 1, #kept, 1000 do
  redis.call('HSET', KEYS[1], unpack(kept, at, math.min(at + 999, #kept)))
end
`;

/** HSET and HDEL of a hash unit, or the script that makes the hash exactly the row. */
export function emitHash(unit: Unit, sink: CommandSink): number {
  const { values } = unit;
  let sets = 0;
  let removals = 0;
  for (const value of values) {
    if (value === null) removals++;
    else if (value !== UNAVAILABLE) sets++;
  }
  // After DEL there is nothing to replace and no field to remove.
  if (unit.replace && !unit.clear) return emitReplace(unit, sink, sets);
  if (sets > 0) {
    sink.begin(2 + sets * 2);
    sink.text('HSET');
    sink.text(unit.key);
    emitFields(unit, sink);
  }
  if (removals === 0 || unit.clear) return sets > 0 ? 1 : 0;
  sink.begin(2 + removals);
  sink.text('HDEL');
  sink.text(unit.key);
  for (let index = 0; index < values.length; index++) {
    if (values[index] === null) sink.name(unit.names, index);
  }
  return sets > 0 ? 2 : 1;
}

function emitReplace(unit: Unit, sink: CommandSink, sets: number): number {
  const kept = unit.names.filter((_, index) => unit.values[index] === UNAVAILABLE);
  sink.begin(5 + kept.length + sets * 2);
  sink.text('EVAL');
  sink.text(HASH_SCRIPT);
  sink.text('1');
  sink.text(unit.key);
  sink.text(String(kept.length));
  for (const name of kept) sink.text(name);
  emitFields(unit, sink);
  return 1;
}

function emitFields({ names, values }: Unit, sink: CommandSink): void {
  for (let index = 0; index < values.length; index++) {
    const value = values[index];
    if (value === null || value === UNAVAILABLE) continue;
    sink.name(names, index);
    sink.value(value as Writable);
  }
}
