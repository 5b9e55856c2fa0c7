/**
 * Lua: `apply(list, from)` runs commands one after the other, each preceded by its length in elements.
 *
 * One is not Redis': `ROWS hash revisions (field revision row)…` writes the rows that are not older than what is
 * there, where no noted revision is revision 0.
 */
export const APPLY_COMMANDS = `
local function rows(list, from, to)
  local hash, revisions = list[from], list[from + 1]
  local noted = redis.call('EXISTS', revisions) == 1
  for i = from + 2, to, 3 do
    local field, revision = list[i], tonumber(list[i + 1])
    local kept = noted and tonumber(redis.call('HGET', revisions, field) or 0) or 0
    if revision >= kept then
      redis.call('HSET', hash, field, list[i + 2])
      if revision > kept then
        redis.call('HSET', revisions, field, list[i + 1])
        noted = true
      end
    end
  end
end

local function apply(list, from)
  while from <= #list do
    local last = from + tonumber(list[from])
    local name = list[from + 1]
    if name == 'ROWS' then rows(list, from + 2, last) else redis.call(unpack(list, from + 1, last)) end
    from = last + 1
  end
end
`;
