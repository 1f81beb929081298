/**
 * Merges a JSON object into the document of a key, atomically, for what `JSON.MERGE` cannot do.
 *
 * KEYS[1] the key; ARGV[1] an object as text; ARGV[2] how:
 * - `rfc`      RFC 7396, for a RedisJSON without JSON.MERGE
 * - `keepnull` the same, but null is stored as null (RDI's merge with `use_native_json_merge: false`)
 * - `columns`  each member replaces the stored one as a whole, null included; members not named stay
 *
 * It works on the texts, member by member, and never decodes a value: decoding would round numbers beyond 2^53 and lose
 * the difference between an empty array and an empty object.
 */
export const JSON_MERGE_SCRIPT = `
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

local function members(text)
  local names, values = {}, {}
  local at = skip(text, skip(text, 1) + 1)
  while string.byte(text, at) == 34 do
    local stop = string_end(text, at)
    local name = cjson.decode('[' .. string.sub(text, at, stop) .. ']')[1]
    at = skip(text, skip(text, stop + 1) + 1)
    stop = value_end(text, at)
    if values[name] == nil then names[#names + 1] = name end
    values[name] = string.sub(text, at, stop)
    at = skip(text, stop + 1)
    if string.byte(text, at) == 44 then at = skip(text, at + 1) end
  end
  return names, values
end

local function is_object(text)
  return text ~= nil and string.byte(text, skip(text, 1)) == 123
end

local function merge(stored, patch, how)
  local names, values = {}, {}
  if is_object(stored) then names, values = members(stored) end
  local changed, news = members(patch)
  for _, name in ipairs(changed) do
    local new = news[name]
    if values[name] == nil then names[#names + 1] = name end
    if how ~= 'columns' and is_object(new) then
      values[name] = merge(values[name], new, how)
    elseif how == 'rfc' and new == 'null' then
      values[name] = false
    else
      values[name] = new
    end
  end
  local parts = {}
  for _, name in ipairs(names) do
    if values[name] then parts[#parts + 1] = cjson.encode(name) .. ':' .. values[name] end
  end
  return '{' .. table.concat(parts, ',') .. '}'
end

local stored = redis.call('JSON.GET', KEYS[1])
return redis.call('JSON.SET', KEYS[1], '$', merge(stored or nil, ARGV[1], ARGV[2]))
`;
