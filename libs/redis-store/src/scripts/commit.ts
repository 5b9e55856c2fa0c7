import { APPLY_COMMANDS } from "./apply-commands.ts";
import { scriptOf } from "./script.ts";
import type { Script } from "./script.ts";

/**
 * KEYS: meta, staged, journal. ARGV: fence, number, signature, position, sinks, partial, elements staged,
 * name of the staging, commands… Returns what became of the commit, a number that goes with it, and the elements
 * in the journal.
 *
 * The rule is `decideCommit` of `@millrace/dataflow`. A staged commit becomes the journal in the same step: from
 * then on it is made, and its pieces are applied one script call after the other.
 *
 * While a cluster moves the slot's keys away, a script could run into a key that is gone already, halfway. But the
 * cluster refuses (TRYAGAIN) a call with some keys missing, and whenever there is something to apply, the journal is.
 */
export const COMMIT: Script = scriptOf(`${APPLY_COMMANDS}
local kept = redis.call('HMGET', KEYS[1], 'fence', 'number', 'by', 'staging')
local owner, stored, by = tonumber(kept[1] or 0), tonumber(kept[2] or 0), tonumber(kept[3] or 0)
local fence, number, staged = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[7])
local waiting = redis.call('LLEN', KEYS[3])
if fence < owner then return {'fenced', kept[1], waiting} end
if number == stored and fence == by then return {'already-applied', kept[2], waiting} end
if number ~= stored + 1 then return {'rolled-back', kept[2] or '0', waiting} end
if waiting > 0 then return {'unfinished', kept[2] or '0', waiting} end
if staged > 0 and (kept[4] ~= ARGV[8] or redis.call('LLEN', KEYS[2]) ~= staged) then
  return {'not-staged', kept[2] or '0', 0}
end
if staged > 0 then redis.call('RENAME', KEYS[2], KEYS[3]) end
apply(ARGV, 9)
local time = redis.call('TIME')
redis.call('HSET', KEYS[1], 'fence', ARGV[1], 'number', ARGV[2], 'by', ARGV[1], 'signature', ARGV[3],
  'position', ARGV[4], 'sinks', ARGV[5], 'partial', ARGV[6],
  'at', string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000)))
return {'applied', ARGV[2], staged}
`);
