import { CHECKS } from "./checks.ts";
import { OPERATIONS } from "./operations.ts";
import { scriptOf } from "./script.ts";
import type { Script } from "./script.ts";

/**
 * KEYS: meta, groups, journal, a key that never exists. Applies the journal's first piece, and returns how many elements are left.
 *
 * It checks no fence. The journal belongs to a commit that is already made, and its pieces have a fixed order, so any owner may
 * apply the first one. The script applies a piece and removes it from the journal in one atomic step. Because one key never exists, a
 * cluster refuses the call while it moves the slot's keys to another node, as it does with a commit.
 */
export const APPLY_PIECE: Script = scriptOf(
  `${CHECKS}${OPERATIONS}
local meta, groups, journal = KEYS[1], KEYS[2], KEYS[3]
local problem = refused(meta, 'hash', {'HMGET', 'HSET'})
  or refused(groups, 'hash', {'HGET', 'HLEN', 'HSET', 'HDEL'})
  or refused(journal, 'list', {'LLEN', 'LINDEX', 'LRANGE', 'LTRIM'})
if problem then return problem end
local kept = redis.call('HMGET', meta, 'waiting', 'life')
local waiting = redis.call('LLEN', journal)
if waiting ~= tonumber(kept[1] or 0) then
  return incomplete(journal .. ' has ' .. waiting .. ' elements where ' .. (kept[1] or '0') .. ' were committed')
end
if waiting == 0 then return 0 end
local count = tonumber(redis.call('LINDEX', journal, 0))
if not count or count >= waiting then return incomplete('a piece of a commit cannot be read') end
local piece = redis.call('LRANGE', journal, 1, count)
problem = refusal(piece, 1, groups)
if problem then return problem end
apply(piece, 1, meta, groups, kept[2])
redis.call('LTRIM', journal, count + 1, -1)
local left = waiting - count - 1
redis.call('HSET', meta, 'waiting', left, 'groups', redis.call('HLEN', groups))
return left
`,
  "allow-oom",
);
