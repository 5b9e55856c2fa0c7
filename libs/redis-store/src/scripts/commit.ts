import { CHECKS } from "./checks.ts";
import { OPERATIONS } from "./operations.ts";
import { scriptOf } from "./script.ts";
import type { Script } from "./script.ts";

/**
 * KEYS: meta, groups, staged, journal. ARGV: fence, number, signature, position, sinks, partial, counts, format, elements staged, name
 * of the staging, operations… Returns the outcome of the commit, a number that belongs to it, and the elements in the
 * journal.
 *
 * The rule is `decideCommit` of `@millrace/dataflow`. A staged commit becomes the journal in the same step: from
 * then on it is durable, and its pieces are applied one script call after the other. Nothing is written before everything is
 * known to succeed.
 *
 * While a cluster moves the slot's keys away, a script could find halfway that a key is already gone. But the
 * cluster refuses (TRYAGAIN) a call with a missing key, and whenever a commit can be applied, the journal is missing.
 */
export const COMMIT: Script = scriptOf(`${CHECKS}${OPERATIONS}
local meta, groups, staging, journal = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local problem = refused(meta, 'hash', {'HMGET', 'HSET', 'TIME'})
  or refused(groups, 'hash', {'HGET', 'HLEN', 'HSET', 'HDEL'})
  or refused(staging, 'list', {'LLEN', 'RENAME'})
  or refused(journal, 'list', {'LLEN', 'RENAME'})
if problem then return problem end
local kept = redis.call('HMGET', meta, 'fence', 'number', 'by', 'staging', 'life', 'groups', 'waiting', 'resetting')
local owner, stored, by = tonumber(kept[1] or 0), tonumber(kept[2] or 0), tonumber(kept[3] or 0)
local fence, number, staged = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[9])
if fence < owner then return {'fenced', kept[1], redis.call('LLEN', journal)} end
local known, life = redis.call('HLEN', groups), redis.call('HGET', groups, 'life')
if stored == 0 and known > 0 then return incomplete(meta .. ' has lost its commit') end
if stored > 0 and (life ~= kept[5] or known ~= tonumber(kept[6])) then
  return incomplete(groups .. ' has ' .. known .. ' fields where ' .. (kept[6] or '0') .. ' were committed')
end
local waiting = redis.call('LLEN', journal)
if waiting ~= tonumber(kept[7] or 0) then
  return incomplete(journal .. ' has ' .. waiting .. ' elements where ' .. (kept[7] or '0') .. ' were committed')
end
if number == stored and fence == by then return {'already-applied', kept[2], waiting} end
if number ~= stored + 1 or kept[8] then return {'rolled-back', kept[2] or '0', waiting} end
if waiting > 0 then return {'unfinished', kept[2] or '0', waiting} end
if staged > 0 and (kept[4] ~= ARGV[10] or redis.call('LLEN', staging) ~= staged) then
  return {'not-staged', kept[2] or '0', 0}
end
problem = refusal(ARGV, 11, groups)
if problem then return problem end
local time = redis.call('TIME')
if stored == 0 then
  life = ARGV[1]
  redis.call('HSET', groups, 'life', life)
end
if staged > 0 then redis.call('RENAME', staging, journal) end
apply(ARGV, 11, meta, groups, life)
redis.call('HSET', meta, 'fence', ARGV[1], 'number', ARGV[2], 'by', ARGV[1], 'signature', ARGV[3],
  'position', ARGV[4], 'sinks', ARGV[5], 'partial', ARGV[6], 'counts', ARGV[7], 'format', ARGV[8],
  'waiting', staged, 'life', life,
  'groups', redis.call('HLEN', groups),
  'at', string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000)))
return {'applied', ARGV[2], staged}
`);
