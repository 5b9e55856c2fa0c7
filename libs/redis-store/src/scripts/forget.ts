import { CHECKS } from "./checks.ts";
import { scriptOf } from "./script.ts";
import type { Script } from "./script.ts";

/**
 * KEYS: meta, groups, staged, journal. ARGV: fence, where the next run begins (empty: where its source does). Deletes the
 * task's commit and marks its reset as running. Returns 0 if fenced.
 */
export const FORGET: Script = scriptOf(
  `${CHECKS}
local problem = refused(KEYS[1], 'hash', {'HGET', 'HSET', 'HDEL'})
  or refused(KEYS[2], false, {'UNLINK'}) or refused(KEYS[3], false, {'UNLINK'}) or refused(KEYS[4], false, {'UNLINK'})
if problem then return problem end
if tonumber(redis.call('HGET', KEYS[1], 'fence') or 0) > tonumber(ARGV[1]) then return 0 end
redis.call('HSET', KEYS[1], 'resetting', 1)
redis.call('HDEL', KEYS[1], 'number', 'by', 'signature', 'position', 'sinks', 'partial', 'at', 'staging', 'life',
  'groups', 'waiting', 'watermark', 'counts', 'format', 'start')
if ARGV[2] and ARGV[2] ~= '' then redis.call('HSET', KEYS[1], 'start', ARGV[2]) end
redis.call('UNLINK', KEYS[2], KEYS[3], KEYS[4])
return 1
`,
  "allow-oom",
);

/**
 * KEYS: meta, a key that never exists, keys that the reset removes… ARGV: fence. Returns how many existed, or −1 if the task was
 * acquired or has committed again: then they no longer belong to this reset.
 */
export const REMOVE: Script = scriptOf(
  `
local kept = redis.call('HMGET', KEYS[1], 'fence', 'resetting')
if tonumber(kept[1] or 0) > tonumber(ARGV[1]) or not kept[2] then return -1 end
local removed = 0
for i = 3, #KEYS do removed = removed + redis.call('UNLINK', KEYS[i]) end
return removed
`,
  "allow-oom",
);

/** KEYS: meta. ARGV: fence. Ends a reset; returns 0 if the task was acquired in between. */
export const RESET_DONE: Script = scriptOf(
  `
if tonumber(redis.call('HGET', KEYS[1], 'fence') or 0) > tonumber(ARGV[1]) then return 0 end
redis.call('HDEL', KEYS[1], 'resetting')
return 1
`,
  "allow-oom",
);
