import { type CommandSink, emitWords } from './encode.ts';

/** One change of a document; see {@link JSON_SCRIPT}. */
export interface JsonEdit {
  readonly kind: 'rfc' | 'keepnull' | 'columns' | 'remove' | 'keep' | 'keepcolumns';
  /** The place of the change, or the paths that are kept. */
  readonly steps: readonly unknown[];
  /** An object as JSON; empty for `remove`. */
  readonly text: string;
  /** Whether a missing document is created. */
  readonly creates: boolean;
}

/** Hands one call of {@link JSON_SCRIPT} to the sink; 1, the number of its answers. */
export function emitEdits(sink: CommandSink, key: string, edits: readonly JsonEdit[]): number {
  const words = ['EVAL', JSON_SCRIPT, '1', key];
  for (const { kind, steps, text, creates } of edits) {
    words.push(kind, JSON.stringify(steps, wellFormed), text, creates ? 'create' : 'exist');
  }
  return emitWords(sink, words);
}

/** Names as {@link jsonDocument} writes them: the target reads no escape of a lone surrogate. */
function wellFormed(_: string, value: unknown): unknown {
  return typeof value === 'string' && !value.isWellFormed() ? value.toWellFormed() : value;
}

/**
 * Changes the document of a key in one go, for what RedisJSON's own commands cannot do.
 *
 * KEYS[1] the key; ARGV, for each change in order: kind, steps, text, `create` or `exist` (whether a missing document is
 * created). Steps are JSON, from the outside in: a member's name, or `[field, value as JSON text]` for the element of an
 * array whose field has that value; the field is set whatever text says, for it is how the element is found again. What is no
 * object, or no array, on the way becomes one. Kinds:
 * - `rfc`      merges text, an object, into the place as RFC 7396 says (for a RedisJSON without JSON.MERGE)
 * - `keepnull` the same, but null is stored as null (RDI's merge with `use_native_json_merge: false`)
 * - `columns`  each member of text replaces the stored one as a whole, null included; members not named stay
 * - `remove`   takes the place out; creates nothing
 * - `keep`     text is the whole new document, but what is stored at the paths (steps is a list of paths) stays
 * - `keepcolumns` the same, with text applied like `columns`
 *
 * It works on the texts and never decodes a value: decoding would round numbers beyond 2^53 and lose the difference between
 * an empty array and an empty object. Objects and arrays are taken apart one level at a time, and only on the way to a place:
 * a value is its text, or a table with `names` and `values` (object) or `items` (array, with an index of the elements by the
 * field last looked for). A value that is taken out is false.
 */
export const JSON_SCRIPT = `
local function skip(text, at)
  return string.find(text, '[^ \\t\\r\\n]', at) or #text + 1
end

local function string_end(text, at)
  local from = at + 1
  while true do
    local found = string.find(text, '["\\\\]', from)
    if not found then error('unfinished string') end
    if string.byte(text, found) == 34 then return found end
    from = found + 2
  end
end

local function value_end(text, at)
  local first = string.byte(text, at)
  if first == 34 then return string_end(text, at) end
  if first ~= 123 and first ~= 91 then
    return (string.find(text, '[,}%] \\t\\r\\n]', at) or #text + 1) - 1
  end
  local depth, from = 0, at
  while true do
    local found = string.find(text, '["{}%[%]]', from)
    if not found then error('unfinished value') end
    local byte = string.byte(text, found)
    if byte == 34 then
      found = string_end(text, found)
    elseif byte == 123 or byte == 91 then
      depth = depth + 1
    else
      depth = depth - 1
      if depth == 0 then return found end
    end
    from = found + 1
  end
end

local function decoded(text)
  return cjson.decode('[' .. text .. ']')[1]
end

local function object_of(text)
  local names, values = {}, {}
  local at = skip(text, skip(text, 1) + 1)
  while string.byte(text, at) == 34 do
    local stop = string_end(text, at)
    local name = string.sub(text, at + 1, stop - 1)
    if string.find(name, '\\\\', 1, true) then name = decoded(string.sub(text, at, stop)) end
    at = skip(text, skip(text, stop + 1) + 1)
    stop = value_end(text, at)
    if values[name] == nil then names[#names + 1] = name end
    values[name] = string.sub(text, at, stop)
    at = skip(text, stop + 1)
    if string.byte(text, at) == 44 then at = skip(text, at + 1) end
  end
  return { names = names, values = values }
end

local function array_of(text)
  local items = {}
  local at = skip(text, skip(text, 1) + 1)
  while at <= #text and string.byte(text, at) ~= 93 do
    local stop = value_end(text, at)
    items[#items + 1] = string.sub(text, at, stop)
    at = skip(text, stop + 1)
    if string.byte(text, at) == 44 then at = skip(text, at + 1) end
  end
  return { items = items }
end

local function begins_with(value, byte)
  return type(value) == 'string' and string.byte(value, skip(value, 1)) == byte
end

local function as_object(value)
  if type(value) == 'table' then return value.names and value end
  return begins_with(value, 123) and object_of(value)
end

local function as_array(value)
  if type(value) == 'table' then return value.items and value end
  return begins_with(value, 91) and array_of(value)
end

local function text_of(value)
  if type(value) == 'string' then return value end
  local parts = {}
  if value.items then
    for _, item in ipairs(value.items) do
      if item then parts[#parts + 1] = text_of(item) end
    end
    return '[' .. table.concat(parts, ',') .. ']'
  end
  for _, name in ipairs(value.names) do
    local member = value.values[name]
    if member then
      local is_plain = not string.find(name, '[%c"\\\\]')
      parts[#parts + 1] = (is_plain and '"' .. name .. '"' or cjson.encode(name)) .. ':' .. text_of(member)
    end
  end
  return '{' .. table.concat(parts, ',') .. '}'
end

local function set(object, name, value)
  if object.values[name] == nil then object.names[#object.names + 1] = name end
  object.values[name] = value
end

local function merge(value, patch, how)
  local object = as_object(value) or { names = {}, values = {} }
  local changes = object_of(patch)
  for _, name in ipairs(changes.names) do
    local new = changes.values[name]
    if how ~= 'columns' and begins_with(new, 123) then
      set(object, name, merge(object.values[name], new, how))
    elseif how == 'rfc' and new == 'null' then
      object.values[name] = object.values[name] and false
    else
      set(object, name, new)
    end
  end
  return object
end

local function scalar(text)
  if type(text) ~= 'string' then return nil end
  if string.byte(text, 1) == 34 then return '"' .. decoded(text) end
  local number = string.find(text, '^-?%d') and tonumber(text)
  if not number or (#text > 15 and string.find(text, '^-?%d+$')) then return text end
  return string.format('%.17g', number)
end

local function places(array, field, value)
  if array.field ~= field then
    array.field, array.index = field, {}
    for at, item in ipairs(array.items) do
      local object = as_object(item)
      local found = object and scalar(object.values[field])
      if found then
        local before = array.index[found]
        if before then before[#before + 1] = at else array.index[found] = { at } end
      end
    end
  end
  return array.index[scalar(value)]
end

local function change(value, steps, depth, apply)
  local step = steps[depth]
  if step == nil then return apply(value) end
  if type(step) == 'string' then
    local object = as_object(value) or { names = {}, values = {} }
    set(object, step, change(object.values[step] or nil, steps, depth + 1, apply))
    return object
  end
  local array = as_array(value) or { items = {} }
  local items, found = array.items, places(array, step[1], step[2])
  local at = found and found[1] or #items + 1
  if not found then array.index[scalar(step[2])] = { at } end
  local element = items[at] or { names = { step[1] }, values = { [step[1]] = step[2] } }
  local object = as_object(change(element, steps, depth + 1, apply))
  if scalar(object.values[step[1]]) ~= scalar(step[2]) then set(object, step[1], step[2]) end
  items[at] = object
  return array
end

local is_changed = false

local function remove(value, steps, depth)
  local step, is_last = steps[depth], depth == #steps
  if type(step) == 'string' then
    local object = as_object(value)
    if not object or not object.values[step] then return value end
    if is_last then is_changed = true end
    object.values[step] = not is_last and remove(object.values[step], steps, depth + 1)
    return object
  end
  local array = as_array(value)
  if not array then return value end
  for _, at in ipairs(places(array, step[1], step[2]) or {}) do
    if is_last then
      is_changed = true
      array.items[at] = false
    else
      array.items[at] = remove(array.items[at], steps, depth + 1)
    end
  end
  if is_last then array.index[scalar(step[2])] = nil end
  return array
end

local function value_at(value, path)
  for _, name in ipairs(path) do
    local object = as_object(value)
    value = object and object.values[name] or nil
  end
  return value
end

local function replace(stored, paths, text, kind)
  local kept = {}
  for at, path in ipairs(paths) do
    local value = value_at(stored, path)
    kept[at] = value and text_of(value)
  end
  local document = text
  if kind == 'keepcolumns' then document = merge(stored, text, 'columns') end
  for at, path in ipairs(paths) do
    if kept[at] then document = change(document, path, 1, function() return kept[at] end) end
  end
  return document
end

local document = redis.call('JSON.GET', KEYS[1]) or nil
for at = 1, #ARGV, 4 do
  local kind, steps, text = ARGV[at], cjson.decode(ARGV[at + 1]), ARGV[at + 2]
  if kind == 'remove' then
    if document then document = remove(document, steps, 1) end
  elseif document or ARGV[at + 3] == 'create' then
    is_changed = true
    if kind == 'keep' or kind == 'keepcolumns' then
      document = replace(document, steps, text, kind)
    else
      document = change(document, steps, 1, function(value) return merge(value, text, kind) end)
    end
  end
end
if is_changed then return redis.call('JSON.SET', KEYS[1], '$', text_of(document)) end
`;
