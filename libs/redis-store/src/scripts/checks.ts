/** First word of a script's error that another program wrote to a key; the rest says which key and what it holds. */
export const OCCUPIED = "MILLRACE_KEY";
/** First word of a script's error that a part of the state is missing; the rest says which. */
export const INCOMPLETE = "MILLRACE_STATE";

/**
 * Lua: what a script checks before its first write. Redis does not undo a script that fails halfway, so everything that
 * can fail is checked first: permissions, which can be revoked at any time, and the types of keys, which other programs
 * may have written. Everything else that Redis can refuse (memory, a replica, a full disk) it refuses before the first write,
 * and after it a script cannot be killed.
 *
 * `refused(key, type, commands)` returns an error, or nothing. Without a type the key is a channel.
 */
export const CHECKS = `
local function may(command, key)
  if command == 'TIME' then return redis.acl_check_cmd(command) end
  if command == 'RENAME' then return redis.acl_check_cmd(command, key, key) end
  if command == 'XINFO' then return redis.acl_check_cmd(command, 'STREAM', key) end
  return redis.acl_check_cmd(command, key)
end

local function refused(key, expected, commands)
  for _, command in ipairs(commands) do
    if not may(command, key) then
      return redis.error_reply('NOPERM the user may not run ' .. command .. ' on ' .. key)
    end
  end
  if not expected then return nil end
  if not may('TYPE', key) then return redis.error_reply('NOPERM the user may not run TYPE on ' .. key) end
  local found = redis.call('TYPE', key).ok
  if found ~= 'none' and found ~= expected then
    return redis.error_reply('${OCCUPIED} ' .. key .. ' holds a ' .. found .. ' and should hold a ' .. expected)
  end
end

local function incomplete(what) return redis.error_reply('${INCOMPLETE} ' .. what) end
`;
