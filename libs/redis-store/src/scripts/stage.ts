import { CHECKS } from "./checks.ts";
import { scriptOf } from "./script.ts";
import type { Script } from "./script.ts";

/** Most arguments of one call that fit on Lua's stack. */
const MOST_ARGS = 7_000;

/**
 * KEYS: meta, staged. ARGV: fence, commit number, name of the staging, elements staged before, elements…
 *
 * Returns how many elements are staged now, or −1 if this commit would not be applied. A piece that does not follow
 * what is staged changes nothing, so that a piece sent twice is staged once.
 */
export const STAGE: Script = scriptOf(`${CHECKS}
local problem = refused(KEYS[1], 'hash', {'HMGET', 'HSET'})
  or refused(KEYS[2], 'list', {'LLEN', 'RPUSH', 'UNLINK'})
if problem then return problem end
local kept = redis.call('HMGET', KEYS[1], 'fence', 'number', 'staging')
if tonumber(ARGV[1]) < tonumber(kept[1] or 0) then return -1 end
if tonumber(ARGV[2]) ~= tonumber(kept[2] or 0) + 1 then return -1 end
if kept[3] ~= ARGV[3] then
  redis.call('HSET', KEYS[1], 'staging', ARGV[3])
  redis.call('UNLINK', KEYS[2])
end
local length = redis.call('LLEN', KEYS[2])
if length == tonumber(ARGV[4]) then
  for i = 5, #ARGV, ${MOST_ARGS} do
    length = redis.call('RPUSH', KEYS[2], unpack(ARGV, i, math.min(i + ${MOST_ARGS} - 1, #ARGV)))
  end
end
return length
`);
