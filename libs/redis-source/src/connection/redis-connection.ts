import type { Redis } from "ioredis";
import { pause } from "@millrace/dataflow";
import type { Logger, TimeProvider } from "@millrace/dataflow";
import { RedisClosedError, RedisReplicaError, RedisUnreachableError } from "../errors.ts";
import type { RedisError } from "../errors.ts";
import { CONNECT_BACK_OFF, backOffMs } from "./back-off.ts";
import { resolveTarget } from "./connection-options.ts";
import type { RedisConnectionOptions, RedisTarget } from "./connection-options.ts";
import { causeOf, explainFailure, isClosedSocket } from "./explain-failure.ts";
import { isFirstTime } from "./first-time.ts";
import { openClient } from "./open-client.ts";
import type { LiveClient, NodeFinder, OpenSettings } from "./open-client.ts";
import { OutageLog } from "./outage-log.ts";
import { OwnerFinder } from "./owner-finder.ts";
import { SentinelFinder } from "./sentinel-finder.ts";
import { StartClock } from "./start-clock.ts";

/** The reason for a client that was given up without one. */
const UNUSABLE = "it did not answer as it should";

/** The least time for an attempt to connect, ms. */
const LAST_ATTEMPT_MS = 100;

/** How a connection is kept. */
export interface ConnectSettings {
  /** What the connection is for, such as `source device_events`: for logs, and the server's CLIENT LIST. */
  readonly role: string;
  readonly logger: Logger;
  readonly time: TimeProvider;
  /** Gives up the first connection; an open connection is closed only by `close`. `@default never` */
  readonly signal?: AbortSignal | undefined;
  /**
   * On a Redis Cluster: the key that is used. The connection goes to the node that serves it. When that changes
   * (Redis answers MOVED), discard the client; the next one connects to the new node. `@default none`
   */
  readonly key?: string;
  /**
   * How many connections the caller needs in all, as a clause: part of the message when Redis accepts no more.
   * `@default the rule by which they are counted`
   */
  readonly needs?: string | undefined;
  /** Makes each new client ready for use (subscribes, defines scripts) before it is handed out. */
  readonly prepare?: (client: Redis) => Promise<void>;
  /** Returns a number from 0 to 1, so that many clients reconnect at different times. `@default Math.random` */
  readonly random?: () => number;
}

/**
 * A connection that is opened again whenever it is lost, until it is closed.
 *
 * Each client lives as long as its socket. When the socket closes, commands without an answer are rejected; the caller
 * decides whether to send them again.
 */
export interface RedisConnection {
  /** `host:port`, for messages. */
  readonly address: string;
  /** Whether the server is a node of a cluster, or may be one: then it does not serve all keys. */
  readonly cluster: boolean;
  /** 1 for the first connection, one more for each later one. */
  readonly number: number;
  /** How often it was lost. */
  readonly disconnects: number;
  /** The current client; `undefined` while there is no connection. */
  readonly client: Redis | undefined;
  /** Why the last attempt failed; `undefined` while there is a connection, or before the first attempt. */
  readonly trouble: RedisError | undefined;
  /**
   * Waits for a connection if there is none.
   * @throws RedisClosedError if it is closed, before or during the wait; what {@link ConnectSettings.prepare} threw, if
   *   that was no failure of Redis or the connection
   */
  whenUp(): Promise<Redis>;
  /**
   * Gives up a client: its unanswered commands are rejected, and a new one is opened.
   *
   * @param reason why, for the log: an error reply, or an error of Millrace. If it is only that the socket is closed, the
   *   log has what closed it. `@default` that it did not answer as it should
   */
  discard(client: Redis, reason?: unknown): void;
  /** Closes without waiting for answers; calls that wait for a connection are rejected. Idempotent. */
  close(): Promise<void>;
}

/**
 * Connects, and stays connected.
 *
 * A refused connection is retried until `connectTimeoutMs` is over, since Redis may be starting (connections that share
 * a `startClock` share this time). A wrong password, a missing permission, a TLS failure, an old server or a replica fails
 * at once. Later losses are retried for ever, after a random delay of up to 50 ms, growing to up to 2 s. The log says when
 * an outage begins, what changes, every 30 s that it lasts, and when it ends.
 *
 * @throws RedisError; the signal's reason; what `prepare` throws
 */
export async function connectRedis(
  options: RedisConnectionOptions,
  settings: ConnectSettings,
): Promise<RedisConnection> {
  const connection = new KeptConnection(resolveTarget(options), settings);
  await connection.open();
  return connection;
}

class KeptConnection implements RedisConnection {
  readonly #target: RedisTarget;
  readonly #settings: ConnectSettings;
  readonly #finder: NodeFinder;
  readonly #outages: OutageLog;
  readonly #random: () => number;
  readonly #closing = new AbortController();
  readonly #waiting = new Set<{ up: (client: Redis) => void; fail: (error: Error) => void }>();
  #live: LiveClient | undefined;
  #trouble: RedisError | undefined;
  #cluster = true;
  #number = 0;
  #disconnects = 0;

  constructor(target: RedisTarget, settings: ConnectSettings) {
    const { key, role, logger, time, random = Math.random } = settings;
    this.#target = target;
    this.#settings = settings;
    this.#finder = finderFor(target, key);
    this.#outages = new OutageLog({ role, logger, time, random });
    this.#random = random;
  }

  get address(): string {
    return this.#finder.address;
  }

  get cluster(): boolean {
    return this.#cluster;
  }

  get number(): number {
    return this.#number;
  }

  get disconnects(): number {
    return this.#disconnects;
  }

  get client(): Redis | undefined {
    return this.#live?.redis;
  }

  get trouble(): RedisError | undefined {
    return this.#trouble;
  }

  async open(): Promise<void> {
    const { time, signal } = this.#settings;
    const clock = this.#target.startClock ?? new StartClock();
    const from = time.monotonic();
    const limitMs = this.#target.connectTimeoutMs - clock.begin(from);
    const deadline = from + limitMs;
    const giveUp = (): void => {
      void this.close();
    };
    signal?.addEventListener("abort", giveUp);
    let before: RedisError | undefined;
    try {
      for (let attempt = 0; ; attempt += 1) {
        signal?.throwIfAborted();
        const failure = await this.#attempt(attempt === 0 ? limitMs : deadline - time.monotonic());
        signal?.throwIfAborted();
        if (failure === undefined) return;
        // A replica at the start is a mistake in the options; a replica later is a failover.
        const final = !failure.retryable || failure instanceof RedisReplicaError;
        if (final) throw failure;
        // The failure of an attempt that the deadline cut short says less than the one before.
        const leftMs = deadline - time.monotonic();
        if (leftMs <= 0) throw before ?? failure;
        // The last attempt is as late as possible with time left for an answer.
        if (leftMs <= LAST_ATTEMPT_MS) throw failure;
        const delayMs = Math.min(
          backOffMs(attempt, CONNECT_BACK_OFF, this.#random),
          leftMs - LAST_ATTEMPT_MS,
        );
        before = failure;
        if (attempt === 0) this.#logWaiting(failure, limitMs);
        await pause(time, delayMs, this.#closing.signal);
      }
    } finally {
      clock.end(time.monotonic());
      signal?.removeEventListener("abort", giveUp);
    }
  }

  whenUp(): Promise<Redis> {
    if (this.#closing.signal.aborted) return Promise.reject(this.#whyClosed());
    if (this.#live !== undefined) return Promise.resolve(this.#live.redis);
    return new Promise((up, fail) => {
      this.#waiting.add({ up, fail });
    });
  }

  discard(client: Redis, reason?: unknown): void {
    const wasReady = client.status === "ready";
    client.disconnect();
    const live = this.#live;
    if (live?.redis !== client) return;
    const own = reason === undefined || isClosedSocket(reason) ? undefined : reason;
    // At once, not when the socket has closed: the next call for a client must not get this one again.
    this.#lost(
      live,
      own ?? (wasReady && reason === undefined ? new RedisUnreachableError(UNUSABLE) : undefined),
    );
  }

  close(): Promise<void> {
    return this.#close(
      new RedisClosedError(`The connection to Redis at ${this.address} (${this.#settings.role}) is closed.`),
    );
  }

  async #close(reason: Error): Promise<void> {
    this.#closing.abort(reason);
    this.#outages.close();
    const live = this.#live;
    this.#live = undefined;
    for (const { fail } of this.#waiting) fail(this.#whyClosed());
    this.#waiting.clear();
    live?.redis.disconnect();
    await live?.ended;
  }

  /** @throws what `prepare` throws, if that is no failure of Redis or the connection */
  async #attempt(timeoutMs: number): Promise<RedisError | undefined> {
    const { role, logger, time, prepare, needs } = this.#settings;
    try {
      const open: OpenSettings = {
        name: `millrace ${role}`,
        logger,
        time,
        timeoutMs,
        needs,
        signal: this.#closing.signal,
        prepare: prepare ?? (() => Promise.resolve()),
      };
      this.#adopt(await this.#finder.open(open));
      return undefined;
    } catch (error) {
      this.#trouble = explainFailure(error, this.address);
      return this.#trouble;
    }
  }

  #adopt(live: LiveClient): void {
    if (this.#closing.signal.aborted) {
      live.redis.disconnect();
      return;
    }
    this.#live = live;
    this.#cluster = live.cluster;
    if (!live.cluster) this.#warnUnusedMap();
    this.#trouble = undefined;
    this.#number += 1;
    void live.ended.then(() => {
      if (this.#live === live) this.#lost(live, undefined);
    });
    for (const { up } of this.#waiting) up(live.redis);
    this.#waiting.clear();
  }

  /** @param reason why this end closed the connection; `undefined`: the other end did */
  #lost(live: LiveClient, reason: unknown): void {
    this.#live = undefined;
    this.#disconnects += 1;
    this.#reconnect(live, reason).catch((error: unknown) => {
      // A defect in `prepare`: it would fail for ever, and the users of the connection have to know.
      void this.#close(error instanceof Error ? error : new Error(String(error)));
    });
  }

  async #reconnect(lost: LiveClient, reason: unknown): Promise<void> {
    this.#outages.lost(this.address, causeOf(reason ?? (await lost.ended)));
    for (;;) {
      await pause(this.#settings.time, this.#outages.nextDelayMs(), this.#closing.signal);
      if (this.#closing.signal.aborted) return;
      const failure = await this.#attempt(this.#target.connectTimeoutMs);
      if (failure === undefined) break;
      this.#outages.failed(this.address, failure);
    }
    if (this.#live !== undefined) this.#outages.back(this.address, this.#number);
  }

  /** A single server is reached at its configured address, so the map is not used. */
  #warnUnusedMap(): void {
    const { natMap, sentinel } = this.#target;
    const { logger } = this.#settings;
    if (natMap === undefined || sentinel !== undefined) return;
    if (!isFirstTime(logger, `no cluster at ${this.address}`)) return;
    logger.warn(
      { event: "option-unused", option: "natMap" },
      `Redis at ${this.address} is one server and no cluster: the map of addresses (natMap, --redis-nat-map) has no effect`,
    );
  }

  /** A start that hangs must not be silent. */
  #logWaiting(failure: RedisError, limitMs: number): void {
    const { logger } = this.#settings;
    const { address } = this;
    if (!isFirstTime(logger, `waiting for ${address}`)) return;
    const [why = ""] = failure.cause === undefined ? failure.message.split(". ") : [causeOf(failure.cause)];
    logger.info(
      { event: "redis-waiting", redis: address, limitMs },
      `no connection to Redis at ${address} yet (${why}); trying for ${Math.round(limitMs / 100) / 10} s`,
    );
  }

  #whyClosed(): Error {
    const reason: unknown = this.#closing.signal.reason;
    return reason instanceof Error ? reason : new Error("closed");
  }
}

/** @param key on a cluster the connection follows this key's slot; `undefined`: it stays with the configured node */
function finderFor(target: RedisTarget, key: string | undefined): NodeFinder {
  if (target.sentinel !== undefined) return new SentinelFinder(target, target.sentinel);
  if (key !== undefined) return new OwnerFinder(target, key);
  return { address: target.address, open: (settings) => openClient(target, settings) };
}
