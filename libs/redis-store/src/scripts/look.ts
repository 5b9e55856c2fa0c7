import { CHECKS } from "./checks.ts";
import { scriptOf } from "./script.ts";
import type { Script } from "./script.ts";

/**
 * KEYS: meta, groups, journal. Returns, at one instant: the fields of meta, the life and the number of fields in
 * groups, the elements in the journal.
 */
export const LOOK: Script = scriptOf(
  `${CHECKS}
local problem = refused(KEYS[1], 'hash', {'HGETALL'})
  or refused(KEYS[2], 'hash', {'HGET', 'HLEN'})
  or refused(KEYS[3], 'list', {'LLEN'})
if problem then return problem end
return {
  redis.call('HGETALL', KEYS[1]), redis.call('HGET', KEYS[2], 'life'), redis.call('HLEN', KEYS[2]),
  redis.call('LLEN', KEYS[3])
}
`,
  "no-writes",
);
