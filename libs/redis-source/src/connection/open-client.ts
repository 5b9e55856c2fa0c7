import type { Redis } from "ioredis";
import type { Logger, TimeProvider } from "@millrace/dataflow";
import { RedisUnreachableError } from "../errors.ts";
import { checkServer } from "./check-server.ts";
import type { RedisTarget } from "./connection-options.ts";
import { explainFailure, explainReply, isClosedSocket } from "./explain-failure.ts";
import { hearRefusal } from "./hear-refusal.ts";

/** What {@link openClient} needs besides the address. */
export interface OpenSettings {
  /** Shown by CLIENT LIST. */
  readonly name: string;
  readonly logger: Logger;
  readonly time: TimeProvider;
  /** How long connecting, handshake and `prepare` may take together, ms. */
  readonly timeoutMs: number;
  /** See `ConnectSettings`. */
  readonly needs?: string | undefined;
  /** Gives the attempt up. */
  readonly signal: AbortSignal;
  readonly prepare: (client: Redis) => Promise<void>;
}

/** A client that lives as long as its socket does. */
export interface LiveClient {
  readonly redis: Redis;
  /** See `RedisConnection`. */
  readonly cluster: boolean;
  /** Resolves when the socket has closed, with the error that closed it if there was one. */
  readonly ended: Promise<unknown>;
}

/** Finds the node to connect to, for each connection again. */
export interface NodeFinder {
  /** The node of the last connection, or what was configured; for messages. */
  readonly address: string;
  /** Opens a connection to the current node. @throws RedisError */
  open(settings: OpenSettings): Promise<LiveClient>;
}

/**
 * Opens one connection, checks what kind of server it is and prepares the connection.
 *
 * The client never reconnects: when its socket closes, it rejects every command that has no answer yet. The client
 * library's own reconnect leaves such commands pending for ever if it is interrupted, and hides which connection an
 * answer came from.
 *
 * @param expected what kind of server to expect
 * @throws RedisError; what `prepare` throws
 */
export async function openClient(
  target: RedisTarget,
  settings: OpenSettings,
  expected: "data" | "sentinel" = "data",
): Promise<LiveClient> {
  const redis = await createClient(target, settings.name);
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
  const { time, timeoutMs, signal, needs } = settings;
  const { connectTimeoutMs } = target;
  const ofMs =
    timeoutMs < connectTimeoutMs ? ` that were left of the ${connectTimeoutMs} ms for connecting` : "";
  const cancelTimeout = time.wakeAfter(Math.max(timeoutMs, 0), () => {
    reason ??= new RedisUnreachableError(
      `Redis at ${target.address} did not answer within ${Math.round(Math.max(timeoutMs, 0))} ms${ofMs}. Check the host, the port and ` +
        `firewalls; ${target.tls === undefined ? "a server that wants TLS needs a rediss:// URL" : "one without TLS needs redis://"}.`,
    );
    giveUp();
  });
  signal.addEventListener("abort", giveUp, { once: true });
  try {
    signal.throwIfAborted();
    await redis.connect();
    const cluster =
      expected === "data" && (await checkServer(redis, target.address, settings.logger)) === "maybe-cluster";
    await settings.prepare(redis);
    // A refused SELECT, or a socket that closed in between, shows in none of the answers above.
    if (reason !== undefined || redis.status !== "ready") throw new Error("Connection is closed.");
    return { redis, cluster, ended };
  } catch (error) {
    giveUp();
    const failure = reason ?? error;
    if (!closedByServer(failure)) throw explainFailure(failure, target.address, { needs });
    const words = await hearRefusal(target, time, signal);
    throw words === undefined
      ? explainFailure(failure, target.address)
      : explainReply(words, target.address, { needs });
  } finally {
    cancelTimeout();
    signal.removeEventListener("abort", giveUp);
  }
}

/** Whether a server accepted the connection and closed it. */
function closedByServer(failure: unknown): boolean {
  if (!isClosedSocket(failure)) return false;
  const code: unknown = failure instanceof Error && "code" in failure ? failure.code : undefined;
  return code === undefined || code === "EPIPE" || code === "ECONNRESET";
}

/** The client library is loaded with the first connection: it takes as long as all of a program that connects to nothing. */
async function createClient(target: RedisTarget, name: string): Promise<Redis> {
  const { Redis } = await import("ioredis");
  const { host, port, path, username, password, tls } = target;
  return new Redis({
    ...(path === undefined ? { host, port } : { path }),
    db: target.db,
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    ...(tls === undefined ? {} : { tls }),
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
    // A peer that does not close its side must not keep ours open.
    disconnectTimeout: 0,
    keepAlive: 10_000,
  });
}
