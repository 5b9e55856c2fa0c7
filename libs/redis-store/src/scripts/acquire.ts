import type { TaskConnection } from "../connection/task-connection.ts";
import type { TaskKeys } from "../task-keys.ts";
import { APPLY_PIECE } from "./apply-piece.ts";
import { CHECKS } from "./checks.ts";
import { COMMIT } from "./commit.ts";
import { FORGET, REMOVE } from "./forget.ts";
import { LOOK } from "./look.ts";
import { commandsOf, scriptOf } from "./script.ts";
import type { Script } from "./script.ts";
import { STAGE } from "./stage.ts";

/** The commands of a load, besides scripts. */
const OF_LOAD = ["HSCAN"];
/** Commands on channels, which only sinks with notices need: the commit checks their permissions. */
const OF_NOTICES = ["PUBLISH", "SPUBLISH"];

/** Every command that an owner may run on its keys. */
export const OWNER_COMMANDS: readonly string[] = [
  ...commandsOf([COMMIT, APPLY_PIECE, STAGE, LOOK, FORGET, REMOVE]),
  ...OF_LOAD,
].filter((name) => !OF_NOTICES.includes(name));

/**
 * KEYS: meta, staged, a key that never exists. ARGV: owner, an example of each other kind of key… Returns the
 * new fence, as text.
 *
 * The fence is at least the server's time: so it grows past those that a server restored from an older copy, or
 * emptied, has forgotten. A second call by the same owner is a request that was sent again.
 *
 * A user who lacks a permission that any other script needs is refused here, before the older owner is stopped.
 */
export const ACQUIRE: Script = scriptOf(
  `${CHECKS}
local names = {KEYS[1], KEYS[2], KEYS[3], unpack(ARGV, 2)}
for _, name in ipairs(names) do
  local problem = refused(name, false, {${OWNER_COMMANDS.map((name) => `'${name}'`).join(", ")}, 'TYPE'})
  if problem then return problem end
end
local problem = refused(KEYS[1], 'hash', {}) or refused(KEYS[2], 'list', {})
if problem then return problem end
local kept = redis.call('HMGET', KEYS[1], 'fence', 'owner')
if kept[2] == ARGV[1] then return kept[1] end
local time = redis.call('TIME')
local fence = math.max(tonumber(kept[1] or 0) + 1, time[1] * 1000 + math.floor(time[2] / 1000))
local text = string.format('%.0f', fence)
redis.call('HSET', KEYS[1], 'fence', text, 'owner', ARGV[1])
redis.call('UNLINK', KEYS[2])
return text
`,
  "allow-oom",
);

/**
 * Acquires a task and returns the new fence.
 *
 * @param owner different for every owner: a request sent twice gets one fence
 * @throws RedisRefusedError for a user who lacks a permission: the older owner continues
 */
export function acquireTask(connection: TaskConnection, keys: TaskKeys, owner: string): Promise<number> {
  const { meta, groups, staged, journal, absent } = keys;
  // One example of each kind, since groups and results are not known yet.
  const others = [groups, journal, keys.group("-"), keys.window("-", "-"), keys.revisions("-", "-")];
  return connection.run("acquire a task", async ({ script }) =>
    Number(await script(ACQUIRE, [meta, staged, absent], [owner, ...others])),
  );
}
