import { OCCUPIED } from "./checks.ts";

/**
 * Lua: the operations of a commit, in a list, each preceded by its length in elements.
 *
 * | operation                                      | what it does                                                   |
 * | ---------------------------------------------- | -------------------------------------------------------------- |
 * | `DROP hash group`                              | removes a group of state                                       |
 * | `PUT hash group (field value)…`                | writes fields of a group                                       |
 * | `DELETE hash group field…`                     | deletes fields of a group                                      |
 * | `ENTRY stream maxlen row`                      | appends a row                                                  |
 * | `ROWS hash revisions (field revision row)…`    | writes rows that are not older than those there                |
 * | `CORRECT hash revisions (field revision row)…` | the same; a row whose window or predecessor is gone is marked  |
 * | `VOID hash revisions field…`                   | removes rows                                                   |
 * | `EXPIRE hash revisions ms`                     | lets rows expire                                               |
 * | `PUBLISH channel message`, `SPUBLISH …`        | notifies subscribers                                           |
 * | `WATERMARK time`                               | sets up to where all first results are visible; empty: nowhere |
 *
 * `refusal(list, from, index)` returns why a list cannot be applied, and writes nothing; `apply(list, from, meta,
 * index, life)` applies it, and can then not fail. Both check a group's number of fields against the one that the index
 * holds: so a group that was evicted or deleted is noticed.
 *
 * Revisions above 0 are noted with the life of the task that they belong to: what a task counts again after a
 * reset replaces the rows of an earlier life.
 */
export const OPERATIONS = `
local NOTES = {'hash', 'EXISTS', 'HGET', 'HSET', 'HDEL'}
local NEEDS = {
  DROP = {{'hash', 'HLEN', 'UNLINK'}},
  PUT = {{'hash', 'HLEN', 'HSET'}},
  DELETE = {{'hash', 'HLEN', 'HDEL'}},
  ENTRY = {{'stream', 'XINFO', 'XADD'}},
  ROWS = {{'hash', 'HSET'}, NOTES},
  CORRECT = {{'hash', 'EXISTS', 'HEXISTS', 'HSET'}, NOTES},
  VOID = {{'hash', 'HDEL'}, {'hash', 'HDEL'}},
  EXPIRE = {{'hash', 'PEXPIRE'}, {'hash', 'PEXPIRE'}},
  PUBLISH = {{false, 'PUBLISH'}},
  SPUBLISH = {{false, 'SPUBLISH'}},
  WATERMARK = {}
}
local OF_GROUP = {DROP = true, PUT = true, DELETE = true}
local OF_ROWS = {ROWS = true, CORRECT = true}

local LAST_ID = '18446744073709551615-18446744073709551615'
local function exhausted(stream)
  if redis.call('TYPE', stream).ok == 'none' then return false end
  local info = redis.call('XINFO', 'STREAM', stream)
  for i = 1, #info, 2 do
    if info[i] == 'last-generated-id' then return info[i + 1] == LAST_ID end
  end
end

local function miscounted(index, group, hash)
  local kept = redis.call('HGET', index, group) or '0'
  local found = redis.call('HLEN', hash)
  if found == tonumber(kept) then return nil end
  return incomplete(hash .. ' has ' .. found .. ' fields where ' .. kept .. ' were committed')
end

local function refusal(list, from, index)
  local seen = {}
  while from <= #list do
    local size, name = tonumber(list[from]), list[from + 1]
    local needs, last = NEEDS[name], from + (size or 0)
    if not needs or not size or last > #list then return incomplete('a piece of a commit cannot be read') end
    seen[name] = seen[name] or {}
    for i, need in ipairs(needs) do
      local key = list[from + 1 + i]
      if not seen[name][key] then
        seen[name][key] = true
        local problem = refused(key, need[1], {unpack(need, 2)})
        if problem then return problem end
        if name == 'ENTRY' and exhausted(key) then
          return redis.error_reply('${OCCUPIED} ' .. key .. ' has the highest id that a stream can have')
        end
        problem = OF_GROUP[name] and miscounted(index, list[from + 3], key)
        if problem then return problem end
      end
    end
    if OF_ROWS[name] then
      for i = from + 5, last, 3 do
        if not string.match(list[i], '^%d+$') then return incomplete('a piece of a commit cannot be read') end
      end
    end
    from = last + 1
  end
end

local function marked(row)
  if string.sub(row, -1) ~= '}' then return row end
  return string.sub(row, 1, -2) .. (#row > 2 and ',' or '') .. '"otherRows":"gone"}'
end

local function rows(list, from, to, life, correct)
  local hash, revisions = list[from], list[from + 1]
  local noted = redis.call('EXISTS', revisions) == 1
  local there = not correct or redis.call('EXISTS', hash) == 1
  for i = from + 2, to, 3 do
    local field, revision = list[i], tonumber(list[i + 1])
    local note = noted and redis.call('HGET', revisions, field)
    local of, kept, mark = string.match(note or '', '^(%d+) (%d+)(%a*)$')
    if of ~= life then kept, mark = 0, '' end
    if revision >= tonumber(kept) then
      if correct and revision > 0 and redis.call('HEXISTS', hash, field) == 0 then mark = 'm' end
      if not there and revision == 0 then mark = 'm' end
      redis.call('HSET', hash, field, mark == '' and list[i + 2] or marked(list[i + 2]))
      if revision > 0 or mark ~= '' then
        redis.call('HSET', revisions, field, life .. ' ' .. list[i + 1] .. mark)
        noted = true
      elseif note then
        redis.call('HDEL', revisions, field)
      end
    end
  end
end

local function apply(list, from, meta, index, life)
  local groups = {}
  while from <= #list do
    local name, first, last = list[from + 1], from + 2, from + tonumber(list[from])
    local key = list[first]
    if OF_GROUP[name] then groups[list[first + 1]] = key end
    if name == 'DROP' then redis.call('UNLINK', key)
    elseif name == 'PUT' then redis.call('HSET', key, unpack(list, first + 2, last))
    elseif name == 'DELETE' then redis.call('HDEL', key, unpack(list, first + 2, last))
    elseif name == 'ENTRY' then
      redis.call('XADD', key, 'MAXLEN', '~', list[first + 1], '*', 'row', list[first + 2])
    elseif name == 'ROWS' then rows(list, first, last, life, false)
    elseif name == 'CORRECT' then rows(list, first, last, life, true)
    elseif name == 'VOID' then
      redis.call('HDEL', key, unpack(list, first + 2, last))
      redis.call('HDEL', list[first + 1], unpack(list, first + 2, last))
    elseif name == 'EXPIRE' then
      redis.call('PEXPIRE', key, list[first + 2])
      redis.call('PEXPIRE', list[first + 1], list[first + 2])
    elseif name == 'PUBLISH' then redis.call('PUBLISH', key, list[first + 1])
    elseif name == 'SPUBLISH' then redis.call('SPUBLISH', key, list[first + 1])
    elseif name == 'WATERMARK' then redis.call('HSET', meta, 'watermark', key)
    end
    from = last + 1
  end
  for group, hash in pairs(groups) do
    local fields = redis.call('HLEN', hash)
    if fields == 0 then redis.call('HDEL', index, group) else redis.call('HSET', index, group, fields) end
  end
end
`;
