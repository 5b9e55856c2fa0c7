import { APPLY_COMMANDS } from "./apply-commands.ts";
import { scriptOf } from "./script.ts";
import type { Script } from "./script.ts";

/**
 * KEYS: journal, nothing. Applies its first piece, and returns the elements that are left.
 *
 * It asks for no fence: the journal is made and has one order, so whoever applies its head is right to. The key
 * that is missing makes a cluster refuse the call while it moves the slot's keys away, as it does a commit.
 */
export const APPLY: Script = scriptOf(`${APPLY_COMMANDS}
local count = tonumber(redis.call('LINDEX', KEYS[1], 0) or 0)
if count == 0 then return 0 end
apply(redis.call('LRANGE', KEYS[1], 1, count), 1)
redis.call('LTRIM', KEYS[1], count + 1, -1)
return redis.call('LLEN', KEYS[1])
`);
