import { CHECKS } from "./checks.ts";
import { scriptOf } from "./script.ts";
import type { Script } from "./script.ts";

/** Lua: the keys of a group, checked. */
const GROUP = `${CHECKS}
local workers, leaving, owners, about = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local sets = {'ZRANGE', 'ZRANGEBYSCORE', 'ZADD', 'ZREM', 'ZCARD', 'TIME'}
local hashes = {'HGET', 'HGETALL', 'HSET', 'HDEL', 'UNLINK'}
local problem = refused(workers, 'zset', sets) or refused(leaving, 'zset', sets)
  or refused(owners, 'hash', hashes) or refused(about, 'hash', hashes)
if problem then return problem end
`;

/**
 * A worker's heartbeat. KEYS: workers, leaving, owners, about. ARGV: worker, lease in ms, 1 if it leaves, what is shared as
 * text, the worker as text, parts… Returns "share", the most parts that it is to have, for how long (ms) the group still
 * forms, and its parts; or "differs" and what the others share.
 *
 * The rules are those of `LeaseTable`. Leases end by this server's clock.
 */
export const BEAT: Script = scriptOf(
  `${GROUP}
local me, lease, shared = ARGV[1], tonumber(ARGV[2]), ARGV[4]
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
for _, set in ipairs({workers, leaving}) do
  for _, gone in ipairs(redis.call('ZRANGEBYSCORE', set, '-inf', now)) do
    redis.call('ZREM', set, gone)
    redis.call('HDEL', about, gone)
  end
end

local before = redis.call('HGET', about, 'shared')
if redis.call('ZCARD', workers) + redis.call('ZCARD', leaving) == 0 then
  if before ~= shared then redis.call('UNLINK', owners) end
  redis.call('HSET', about, 'shared', shared, 'formed', string.format('%.0f', now))
elseif before and before ~= shared then
  return {'differs', before}
end
local to, from = workers, leaving
if ARGV[3] == '1' then to, from = leaving, workers end
redis.call('ZREM', from, me)
redis.call('ZADD', to, now + lease, me)
redis.call('HSET', about, me, ARGV[5])

local load = {}
local sharers = redis.call('ZRANGE', workers, 0, -1)
for _, worker in ipairs(sharers) do load[worker] = 0 end
for _, worker in ipairs(redis.call('ZRANGE', leaving, 0, -1)) do load[worker] = 0 end
local ownerOf = {}
local flat = redis.call('HGETALL', owners)
for i = 1, #flat, 2 do ownerOf[flat[i]] = flat[i + 1] end
local owned, free = {}, {}
for i = 6, #ARGV do
  local owner = ownerOf[ARGV[i]]
  if not (owner and load[owner]) then free[#free + 1] = ARGV[i]
  else
    load[owner] = load[owner] + 1
    if owner == me then owned[#owned + 1] = ARGV[i] end
  end
end

local most = 0
if ARGV[3] ~= '1' then
  -- Who has the most parts keeps the extra one, so that nothing moves that need not.
  table.sort(sharers, function(a, b) return load[a] > load[b] or (load[a] == load[b] and a < b) end)
  local parts = #ARGV - 5
  most = math.floor(parts / #sharers)
  for i = 1, parts % #sharers do if sharers[i] == me then most = most + 1 end end
end
local forming = math.max(tonumber(redis.call('HGET', about, 'formed') or 0) + lease / 30 - now, 0)
if forming == 0 then
  for _, part in ipairs(free) do
    if #owned >= most then break end
    redis.call('HSET', owners, part, me)
    owned[#owned + 1] = part
  end
end
return {'share', most, math.ceil(forming), owned}
`,
  "allow-oom",
);

/** A worker frees a part. KEYS as for {@link BEAT}. ARGV: worker, part. */
export const RELEASE: Script = scriptOf(
  `${GROUP}
if redis.call('HGET', owners, ARGV[2]) == ARGV[1] then redis.call('HDEL', owners, ARGV[2]) end
return 1
`,
  "allow-oom",
);

/** A worker frees all its parts, and is none of the group any more. KEYS as for {@link BEAT}. ARGV: worker. */
export const LEAVE: Script = scriptOf(
  `${GROUP}
redis.call('ZREM', workers, ARGV[1])
redis.call('ZREM', leaving, ARGV[1])
redis.call('HDEL', about, ARGV[1])
local flat = redis.call('HGETALL', owners)
for i = 1, #flat, 2 do
  if flat[i + 1] == ARGV[1] then redis.call('HDEL', owners, flat[i]) end
end
if redis.call('ZCARD', workers) + redis.call('ZCARD', leaving) == 0 then redis.call('UNLINK', owners, about) end
return 1
`,
  "allow-oom",
);

/** KEYS as for {@link BEAT}. Returns, at one instant: the time, the workers with their leases, those that leave, owners, about. */
export const WORKERS: Script = scriptOf(
  `${CHECKS}
local problem = refused(KEYS[1], 'zset', {'ZRANGE'}) or refused(KEYS[2], 'zset', {'ZRANGE'})
  or refused(KEYS[3], 'hash', {'HGETALL'}) or refused(KEYS[4], 'hash', {'HGETALL'})
if problem then return problem end
local time = redis.call('TIME')
return {
  string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000)),
  redis.call('ZRANGE', KEYS[1], 0, -1, 'WITHSCORES'), redis.call('ZRANGE', KEYS[2], 0, -1, 'WITHSCORES'),
  redis.call('HGETALL', KEYS[3]), redis.call('HGETALL', KEYS[4])
}
`,
  "no-writes",
);
