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

/** Said of a client that was given up without a reason. */
const UNUSABLE = "it did not answer as it should";

/** An attempt to connect has at least so long, ms. */
const LAST_ATTEMPT_MS = 100;

/** How a connection is kept. */
export interface ConnectSettings {
  /** What it is for, such as `source device_events`: in logs, and in the server's CLIENT LIST. */
  readonly role: string;
  readonly logger: Logger;
  readonly time: TimeProvider;
  /** Gives up the first connection; a connection that stands is closed by `close` alone. `@default never` */
  readonly signal?: AbortSignal | undefined;
  /**
   * On a Redis Cluster: the key that is used. The connection goes to the node that serves it; when that changes
   * (Redis answers MOVED), discard the client, and the next one is with the new node. `@default none`
   */
  readonly key?: string;
  /**
   * How many connections whoever opens this one needs in all, as a clause: part of the message when Redis accepts no
   * more. `@default the rule by which they are counted`
   */
  readonly needs?: string | undefined;
  /** Makes each new client usable (subscribes, defines scripts) before anybody gets it. */
  readonly prepare?: (client: Redis) => Promise<void>;
  /** A number from 0 to 1, by which many clients reconnect at different moments. `@default Math.random` */
  readonly random?: () => number;
}

/**
 * A connection that is opened again whenever it is lost, until it is closed.
 *
 * Each client lives as long as its socket. A command without an answer when the socket closes is rejected;
 * whoever sent it knows whether to send it again.
 */
export interface RedisConnection {
  /** `host:port`, for people. */
  readonly address: string;
  /** Whether the server is a node of a cluster, or may be one: what is at another node is not to be asked for here. */
  readonly cluster: boolean;
  /** 1 for the first connection, one more for each that followed. */
  readonly number: number;
  /** How often it was lost. */
  readonly disconnects: number;
  /** The client of now; `undefined` while there is no connection. */
  readonly client: Redis | undefined;
  /** Why there is no connection now, as the last attempt found; `undefined` while there is one or none was tried. */
  readonly trouble: RedisError | undefined;
  /**
   * Waits for a connection if there is none.
   * @throws RedisClosedError when closed, before or meanwhile; what {@link ConnectSettings.prepare} threw, if that
   *   was no failure of Redis or the connection
   */
  whenUp(): Promise<Redis>;
  /**
   * Gives up a client that no longer serves: its unanswered commands are rejected, and a new one is opened.
   *
   * @param reason why, for the log: an error reply, or an error of Millrace; where it is that the socket is closed, the
   *   log has what closed it. `@default` that it did not answer as it should
   */
  discard(client: Redis, reason?: unknown): void;
  /** Closes without waiting for answers; settles whoever waits. Idempotent. */
  close(): Promise<void>;
}

/**
 * Connects, and stays connected.
 *
 * A port that refuses is tried again until `connectTimeoutMs` is over (of all that share a `startClock`, together), since a Redis may be starting; a wrong
 * password, a missing permission, TLS trouble, an old server or a replica fail at once. Later losses are retried for
 * ever, up to 50 ms and then up to 2 s apart, at random within that. The log says when an outage begins, whatever
 * changes in it, every 30 s that it lasts, and when it ends.
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
        // A replica that is named at the start is a mistake; one that is met later is a failover.
        const final = !failure.retryable || failure instanceof RedisReplicaError;
        if (final) throw failure;
        // An attempt that the deadline cut short says less than the one before it.
        const leftMs = deadline - time.monotonic();
        if (leftMs <= 0) throw before ?? failure;
        // The last attempt is as late as it can be and still be answered.
        if (leftMs <= LAST_ATTEMPT_MS) throw failure;
        const delayMs = Math.min(
          backOffMs(attempt, CONNECT_BACK_OFF, this.#random),
          leftMs - LAST_ATTEMPT_MS,
        );
        before = failure;
        if (attempt === 0) this.#sayWaiting(failure, limitMs);
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
    const stood = client.status === "ready";
    client.disconnect();
    const live = this.#live;
    if (live?.redis !== client) return;
    const own = reason === undefined || isClosedSocket(reason) ? undefined : reason;
    // Not when the socket has closed: whoever asks for a client right now must not get this one again.
    this.#lost(
      live,
      own ?? (stood && reason === undefined ? new RedisUnreachableError(UNUSABLE) : undefined),
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
    if (!live.cluster) this.#sayUnusedMap();
    this.#trouble = undefined;
    this.#number += 1;
    void live.ended.then(() => {
      if (this.#live === live) this.#lost(live, undefined);
    });
    for (const { up } of this.#waiting) up(live.redis);
    this.#waiting.clear();
  }

  /** @param reason why this end hung up; `undefined`: the other end did */
  #lost(live: LiveClient, reason: unknown): void {
    this.#live = undefined;
    this.#disconnects += 1;
    this.#reconnect(live, reason).catch((error: unknown) => {
      // A defect in `prepare`: it would fail for ever, and whoever needs the connection has to know.
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

  /** One server that was named is where it was named. */
  #sayUnusedMap(): void {
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
  #sayWaiting(failure: RedisError, limitMs: number): void {
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

/** @param key on a cluster the connection follows this key's slot; `undefined`: it stays with the node that is named */
function finderFor(target: RedisTarget, key: string | undefined): NodeFinder {
  if (target.sentinel !== undefined) return new SentinelFinder(target, target.sentinel);
  if (key !== undefined) return new OwnerFinder(target, key);
  return { address: target.address, open: (settings) => openClient(target, settings) };
}
