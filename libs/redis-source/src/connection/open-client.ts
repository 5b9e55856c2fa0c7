import { Redis } from "ioredis";
import type { TimeProvider } from "@millrace/dataflow";
import { RedisTooOldError, RedisUnreachableError } from "../errors.ts";
import type { RedisTarget } from "./connection-options.ts";
import { explainFailure } from "./explain-failure.ts";

/** The oldest major version with sharded Pub/Sub, of Redis as of Valkey. */
const OLDEST_MAJOR = 7;

/** What {@link openClient} needs besides the address. */
export interface OpenSettings {
  /** Shown by CLIENT LIST. */
  readonly name: string;
  readonly time: TimeProvider;
  /** How long connecting, handshake and `prepare` may take together. */
  readonly timeoutMs: number;
  /** Gives the attempt up. */
  readonly signal: AbortSignal;
  readonly prepare: (client: Redis) => Promise<void>;
}

/** A client that lives as long as its socket does. */
export interface LiveClient {
  readonly redis: Redis;
  /** Resolves when the socket has closed, with the error that closed it if there was one. */
  readonly ended: Promise<unknown>;
}

/**
 * Opens one connection, checks the server's version and prepares it.
 *
 * The client never reconnects: when its socket closes, it rejects every command that has no answer yet. The
 * client library's own reconnecting leaves such commands pending for ever if it is interrupted, and hides which
 * answers belong to which connection.
 *
 * @throws RedisError
 */
export async function openClient(target: RedisTarget, settings: OpenSettings): Promise<LiveClient> {
  const redis = createClient(target, settings.name);
  let reason: unknown;
  redis.on("error", (error: unknown) => {
    reason ??= error;
  });
  const ended = new Promise<unknown>((resolve) => {
    redis.once("end", () => {
      resolve(reason);
    });
  });
  const giveUp = (): void => {
    redis.disconnect();
  };
  const { time, timeoutMs, signal } = settings;
  const cancelTimeout = time.wakeAt(time.now() + timeoutMs, () => {
    reason ??= new RedisUnreachableError(
      `Redis at ${target.address} did not answer within ${target.connectTimeoutMs} ms. Check the host, the port and ` +
        `firewalls; ${target.tls === undefined ? "a server that wants TLS needs a rediss:// URL" : "one without TLS needs redis://"}.`,
    );
    giveUp();
  });
  signal.addEventListener("abort", giveUp, { once: true });
  try {
    signal.throwIfAborted();
    await redis.connect();
    await checkServer(redis, target.address);
    await settings.prepare(redis);
    // A refused SELECT or a socket that closed meanwhile is not told by any of the answers above.
    if (reason !== undefined || redis.status !== "ready") throw new Error("ended during the handshake");
    return { redis, ended };
  } catch (error) {
    giveUp();
    throw explainFailure(reason ?? error, target.address);
  } finally {
    cancelTimeout();
    signal.removeEventListener("abort", giveUp);
  }
}

function createClient(target: RedisTarget, name: string): Redis {
  return new Redis({
    host: target.host,
    port: target.port,
    db: target.db,
    ...(target.username === undefined ? {} : { username: target.username }),
    ...(target.password === undefined ? {} : { password: target.password }),
    ...(target.tls === undefined ? {} : { tls: target.tls }),
    connectionName: name.replace(/[^\x21-\x7e]/g, "_"),
    lazyConnect: true,
    retryStrategy: () => null,
    maxRetriesPerRequest: null,
    enableOfflineQueue: false,
    enableReadyCheck: false,
    autoResubscribe: false,
    autoResendUnfulfilledCommands: false,
    disableClientInfo: true,
    connectTimeout: 0,
    // A peer that does not close its side must not hold ours.
    disconnectTimeout: 0,
    keepAlive: 10_000,
  });
}

async function checkServer(redis: Redis, address: string): Promise<void> {
  let info: string;
  try {
    info = await redis.info();
  } catch (error) {
    // An ACL user without INFO: an old server will show itself at the first command that it does not know.
    if (error instanceof Error && error.message.startsWith("NOPERM")) return;
    throw error;
  }
  const field = (name: string): string | undefined => new RegExp(`^${name}:(.*?)\\r?$`, "m").exec(info)?.[1];
  const version = field("valkey_version") ?? field("redis_version") ?? "unknown";
  if (Number.parseInt(version, 10) < OLDEST_MAJOR) {
    throw new RedisTooOldError(
      `Redis at ${address} is version ${version}; Millrace needs Redis or Valkey ${OLDEST_MAJOR}.0 or newer. ` +
        "Upgrade it, or name another Redis.",
    );
  }
  if (field("loading") === "1") {
    throw new RedisUnreachableError(`Redis at ${address} is still loading its data. Wait until it is done.`);
  }
}
