import { LocalRedisError } from "./local-redis-error.ts";
import type { LocalRedisErrorCode } from "./local-redis-error.ts";
import { lookForRedisServer } from "./look-for-redis-server.mjs";

/** A server program on this machine. */
export interface RedisServerProgram {
  /** File to execute. */
  readonly path: string;
  /** As the program states it, for example "7.0.15". */
  readonly version: string;
}

/** Why no server program can be used. */
interface NoRedisServer {
  readonly code: LocalRedisErrorCode;
  readonly message: string;
}

/**
 * Finds a Redis or Valkey server program, 7.0 or newer: the one that REDIS_SERVER names (a path, or a name on PATH),
 * else the first of redis-server and valkey-server on PATH that is new enough.
 *
 * @param env environment with REDIS_SERVER and PATH. `@default process.env`
 * @throws LocalRedisError REDIS_SERVER_NOT_FOUND, REDIS_SERVER_TOO_OLD, REDIS_SERVER_UNUSABLE
 */
export function findRedisServer(
  env: Readonly<Record<string, string | undefined>> = process.env,
): RedisServerProgram {
  const found: RedisServerProgram | NoRedisServer = lookForRedisServer(env);
  if ("code" in found) throw new LocalRedisError(found.code, found.message);
  return found;
}
