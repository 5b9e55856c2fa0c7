import { scriptOf } from "./script.ts";
import type { Script } from "./script.ts";

/**
 * KEYS: meta, staged, a name that is never used. ARGV: owner. Returns the new fence, as text.
 *
 * The server's clock pushes the fence: so it grows past those that a server restored from an older copy, or
 * emptied, has forgotten. The same owner asking again is a request resent.
 *
 * Redis does not undo a script that fails halfway. So every command of the other scripts is tried here, where it
 * does nothing: a user without the permission is refused before there is a half.
 */
export const ACQUIRE: Script = scriptOf(`
for _, try in ipairs({
  {'UNLINK'}, {'HDEL', '-'}, {'SREM', '-'}, {'SPOP'}, {'LTRIM', 0, 0}, {'PEXPIRE', 1}, {'RPUSHX', '-'}, {'EXISTS'},
  {'LLEN'}, {'LINDEX', 0}, {'LRANGE', 0, 0}, {'HGET', '-'}, {'XADD', 'NOMKSTREAM', '*', '-', '-'}, {'SCARD'}
}) do redis.call(try[1], KEYS[3], unpack(try, 2)) end
local kept = redis.call('HMGET', KEYS[1], 'fence', 'owner')
if kept[2] == ARGV[1] then return kept[1] end
local time = redis.call('TIME')
local fence = math.max(tonumber(kept[1] or 0) + 1, time[1] * 1000 + math.floor(time[2] / 1000))
local text = string.format('%.0f', fence)
redis.call('HSET', KEYS[1], 'fence', text, 'owner', ARGV[1])
redis.call('UNLINK', KEYS[2])
return text
`);
