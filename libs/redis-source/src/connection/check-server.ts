import type { Redis } from "ioredis";
import type { Logger } from "@millrace/dataflow";
import { RedisOptionsError, RedisTooOldError, RedisUnreachableError } from "../errors.ts";
import { replyKind, replicaError } from "./explain-failure.ts";
import { isFirstTime } from "./first-time.ts";

/** The oldest major version with sharded Pub/Sub, of Redis as of Valkey. */
const OLDEST_MAJOR = 7;

/** What a server reports about itself. */
interface ServerView {
  readonly version: string | undefined;
  /** `sentinel` for one that keeps no data. */
  readonly mode: string | undefined;
  /** `master`, or `slave` (INFO) or `replica` (HELLO). */
  readonly role: string | undefined;
  readonly loading: boolean;
}

/**
 * Checks whether a server can be used. INFO has all that is needed; if it is renamed or not allowed, HELLO has most of
 * it. Without either the server is used all the same: a feature that it lacks fails at the first command that needs it.
 *
 * @returns `maybe-cluster` also if the server does not report what it is
 * @throws RedisTooOldError; RedisOptionsError for a Sentinel; RedisReplicaError; RedisUnreachableError while it loads
 */
export async function checkServer(
  redis: Redis,
  address: string,
  logger: Logger,
): Promise<"alone" | "maybe-cluster"> {
  const { version = "unknown", mode, role, loading } = await viewOf(redis, address, logger);
  if (mode === "sentinel") throw sentinelError(address);
  if (Number.parseInt(version, 10) < OLDEST_MAJOR) {
    throw new RedisTooOldError(
      `Redis at ${address} is version ${version}; Millrace needs Redis or Valkey ${OLDEST_MAJOR}.0 or newer. ` +
        "Upgrade it, or name another Redis.",
    );
  }
  if (loading) {
    throw new RedisUnreachableError(`Redis at ${address} is still loading its data. Wait until it is done.`);
  }
  // The replicas of a cluster lead to their masters by themselves.
  if (mode !== "cluster" && role !== undefined && role !== "master") throw replicaError(address);
  return mode === "standalone" ? "alone" : "maybe-cluster";
}

async function viewOf(redis: Redis, address: string, logger: Logger): Promise<ServerView> {
  const info = await unlessDenied(redis.info());
  if (info !== undefined) return fromInfo(info);
  const view = fromHello(await unlessDenied(redis.call("HELLO")));
  warnOnce(address, view, logger);
  return view;
}

/** `undefined`: the command is renamed, or not allowed to this user. */
async function unlessDenied<T>(reply: Promise<T>): Promise<T | undefined> {
  try {
    return await reply;
  } catch (error) {
    if (replyKind(error) === "forbidden" || replyKind(error) === "unknown") return undefined;
    throw error;
  }
}

function fromInfo(info: string): ServerView {
  const field = (name: string): string | undefined => new RegExp(`^${name}:(.*?)\\r?$`, "m").exec(info)?.[1];
  return {
    version: field("valkey_version") ?? field("redis_version"),
    mode: field("redis_mode") ?? field("server_mode"),
    role: field("role"),
    loading: field("loading") === "1",
  };
}

/** Name, value, name, value, …; any user who can connect may ask. It does not report loading. */
function fromHello(reply: unknown): ServerView {
  const flat: readonly unknown[] = Array.isArray(reply) ? reply : [];
  const field = (name: string): string | undefined => {
    const value = flat[flat.indexOf(name) + 1];
    return typeof value === "string" ? value : undefined;
  };
  return { version: field("version"), mode: field("mode"), role: field("role"), loading: false };
}

function warnOnce(address: string, { version }: ServerView, logger: Logger): void {
  if (!isFirstTime(logger, `no INFO at ${address}`)) return;
  const used =
    version === undefined
      ? `so it is used as if it were ${OLDEST_MAJOR}.0 or newer, and a master`
      : `so Millrace cannot see when it loads its data, or cuts a subscriber off (it is version ${version})`;
  logger.warn(
    { event: "redis-no-info", redis: address, version },
    `Redis at ${address} does not answer INFO, which is renamed or not allowed to this user; ${used}.`,
  );
}

function sentinelError(address: string): RedisOptionsError {
  return new RedisOptionsError(
    `At ${address} is a Sentinel, which keeps no data but knows where a master is. Name the master too: ` +
      `redis+sentinel://${address.replace(" (TLS)", "")}/<master>, or sentinels and masterName ` +
      "(--redis-sentinels and --redis-master-name).",
  );
}
