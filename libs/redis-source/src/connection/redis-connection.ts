import type { Redis } from "ioredis";
import type { Logger, TimeProvider } from "@millrace/dataflow";
import { RedisClosedError } from "../errors.ts";
import type { RedisError } from "../errors.ts";
import { pause } from "../pause.ts";
import { resolveTarget } from "./connection-options.ts";
import type { RedisConnectionOptions, RedisTarget } from "./connection-options.ts";
import { causeOf, explainFailure } from "./explain-failure.ts";
import { openClient } from "./open-client.ts";
import type { LiveClient, OpenSettings } from "./open-client.ts";
import { OwnerFinder } from "./owner-finder.ts";

const FIRST_DELAY_MS = 50;
const LONGEST_DELAY_MS = 2_000;

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
  /** Makes each new client usable (subscribes, defines scripts) before anybody gets it. */
  readonly prepare?: (client: Redis) => Promise<void>;
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
  /** 1 for the first connection, one more for each that followed. */
  readonly number: number;
  /** How often it was lost. */
  readonly disconnects: number;
  /** The client of now; `undefined` while there is no connection. */
  readonly client: Redis | undefined;
  /**
   * Waits for a connection if there is none.
   * @throws RedisClosedError when closed, before or meanwhile
   */
  whenUp(): Promise<Redis>;
  /** Gives up a client that no longer serves: its unanswered commands are rejected, and a new one is opened. */
  discard(client: Redis): void;
  /** Closes without waiting for answers; settles whoever waits. Idempotent. */
  close(): Promise<void>;
}

/**
 * Connects, and stays connected.
 *
 * A port that refuses is tried again until `connectTimeoutMs` is over, since a Redis may be starting; a wrong
 * password, a missing permission, TLS trouble or an old server fail at once. Later losses are retried for ever,
 * 50 ms to 2 s apart, and logged once when they begin and once when they end.
 *
 * @throws RedisError; the signal's reason
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
  readonly #owner: OwnerFinder | undefined;
  readonly #closing = new AbortController();
  readonly #waiting = new Set<{ up: (client: Redis) => void; fail: (error: RedisError) => void }>();
  #live: LiveClient | undefined;
  #number = 0;
  #disconnects = 0;

  constructor(target: RedisTarget, settings: ConnectSettings) {
    this.#target = target;
    this.#settings = settings;
    this.#owner = settings.key === undefined ? undefined : new OwnerFinder(target, settings.key);
  }

  get address(): string {
    return this.#owner?.address ?? this.#target.address;
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

  async open(): Promise<void> {
    const { time, signal } = this.#settings;
    const deadline = time.now() + this.#target.connectTimeoutMs;
    const giveUp = (): void => {
      void this.close();
    };
    signal?.addEventListener("abort", giveUp);
    try {
      for (let attempt = 0; ; attempt += 1) {
        signal?.throwIfAborted();
        const failure = await this.#attempt(deadline - time.now());
        signal?.throwIfAborted();
        if (failure === undefined) return;
        const delayMs = delayBefore(attempt);
        if (!failure.retryable || time.now() + delayMs >= deadline) throw failure;
        await pause(delayMs, time, this.#closing.signal);
      }
    } finally {
      signal?.removeEventListener("abort", giveUp);
    }
  }

  whenUp(): Promise<Redis> {
    if (this.#closing.signal.aborted) return Promise.reject(this.#closedError());
    if (this.#live !== undefined) return Promise.resolve(this.#live.redis);
    return new Promise((up, fail) => {
      this.#waiting.add({ up, fail });
    });
  }

  discard(client: Redis): void {
    client.disconnect();
    // Not when the socket has closed: whoever asks for a client right now must not get this one again.
    if (this.#live?.redis === client) this.#lost(undefined);
  }

  async close(): Promise<void> {
    this.#closing.abort();
    const live = this.#live;
    this.#live = undefined;
    for (const { fail } of this.#waiting) fail(this.#closedError());
    this.#waiting.clear();
    live?.redis.disconnect();
    await live?.ended;
  }

  async #attempt(timeoutMs: number): Promise<RedisError | undefined> {
    const { role, time, prepare } = this.#settings;
    try {
      const open: OpenSettings = {
        name: `millrace ${role}`,
        time,
        timeoutMs,
        signal: this.#closing.signal,
        prepare: prepare ?? (() => Promise.resolve()),
      };
      this.#adopt(await (this.#owner?.open(open) ?? openClient(this.#target, open)));
      return undefined;
    } catch (error) {
      return explainFailure(error, this.address);
    }
  }

  #adopt(live: LiveClient): void {
    if (this.#closing.signal.aborted) {
      live.redis.disconnect();
      return;
    }
    this.#live = live;
    this.#number += 1;
    void live.ended.then((reason) => {
      if (this.#live === live) this.#lost(reason);
    });
    for (const { up } of this.#waiting) up(live.redis);
    this.#waiting.clear();
  }

  #lost(reason: unknown): void {
    this.#live = undefined;
    this.#disconnects += 1;
    void this.#reconnect(causeOf(reason));
  }

  async #reconnect(reason: string): Promise<void> {
    const { logger, role, time } = this.#settings;
    const lostAt = time.now();
    let told: string | undefined;
    logger.warn(
      { event: "redis-lost", redis: this.address, role, reason },
      `connection to ${this.address} lost (${role}): ${reason}; reconnecting`,
    );
    for (let attempt = 0; !this.#closing.signal.aborted; attempt += 1) {
      const failure = await this.#attempt(this.#target.connectTimeoutMs);
      if (failure === undefined) break;
      // That nobody answers is the outage itself; a refusal is news, since waiting will not mend it.
      if (!failure.retryable && failure.code !== told) {
        told = failure.code;
        logger.error({ event: "redis-refused", redis: this.address, role, code: told }, failure.message);
      }
      await pause(delayBefore(attempt), time, this.#closing.signal);
    }
    if (this.#live === undefined) return;
    logger.info(
      {
        event: "redis-back",
        redis: this.address,
        role,
        connection: this.#number,
        downMs: time.now() - lostAt,
      },
      `connected to ${this.address} again (${role})`,
    );
  }

  #closedError(): RedisClosedError {
    return new RedisClosedError(
      `The connection to Redis at ${this.address} (${this.#settings.role}) is closed.`,
    );
  }
}

function delayBefore(attempt: number): number {
  return Math.min(FIRST_DELAY_MS * 2 ** attempt, LONGEST_DELAY_MS);
}
