import { scriptOf } from "./script.ts";
import type { Script } from "./script.ts";

/** KEYS: meta, staged, journal. ARGV: fence. Makes the task one that never committed. Returns 0 if fenced. */
export const FORGET: Script = scriptOf(`
if tonumber(redis.call('HGET', KEYS[1], 'fence') or 0) > tonumber(ARGV[1]) then return 0 end
redis.call('HDEL', KEYS[1], 'number', 'by', 'signature', 'position', 'sinks', 'partial', 'at', 'staging')
redis.call('UNLINK', KEYS[2], KEYS[3])
return 1
`);

/**
 * KEYS: meta, groups, nothing. ARGV: fence, what a group's key starts with, how many groups. Removes groups of a task that
 * never committed, and returns how many are left, or −1 if fenced, or if it committed meanwhile.
 */
export const SWEEP: Script = scriptOf(`
local kept = redis.call('HMGET', KEYS[1], 'fence', 'number')
if tonumber(kept[1] or 0) > tonumber(ARGV[1]) or kept[2] then return -1 end
for _, group in ipairs(redis.call('SPOP', KEYS[2], ARGV[3])) do redis.call('UNLINK', ARGV[2] .. group) end
return redis.call('SCARD', KEYS[2])
`);
