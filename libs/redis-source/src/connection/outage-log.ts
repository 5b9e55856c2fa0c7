import type { Logger, TimeProvider } from "@millrace/dataflow";
import type { RedisError } from "../errors.ts";
import { CONNECT_BACK_OFF, backOffMs } from "./back-off.ts";

/** A connection that is lost within this time belongs to the same outage as the one before. */
const STEADY_MS = 10_000;
/** While an outage lasts, it is logged again at this interval. */
const REMIND_MS = 30_000;
/** Most different messages about one outage. */
const MOST_NEWS = 20;

/** What an {@link OutageLog} works with. */
export interface OutageSettings {
  readonly role: string;
  readonly logger: Logger;
  readonly time: TimeProvider;
  readonly random: () => number;
}

/**
 * Logs the outages of a connection (each change once), and says how long to wait before the next attempt. A connection
 * that comes back and is soon lost again is in the same outage: the back-off continues.
 */
export class OutageLog {
  readonly #settings: OutageSettings;
  /** Reasons and failures logged since the connection was last logged as back. */
  readonly #logged = new Set<string>();
  #loggedAt = 0;
  #attempts = 0;
  #lostAt = 0;
  #backAt = Number.NEGATIVE_INFINITY;
  /** How often the connection came back and was soon lost again. */
  #relapses = 0;
  #cancelBack: (() => void) | undefined;
  #closed = false;

  constructor(settings: OutageSettings) {
    this.#settings = settings;
  }

  /** How long (ms) to wait before the next attempt. */
  nextDelayMs(): number {
    this.#attempts += 1;
    return backOffMs(this.#attempts - 1, CONNECT_BACK_OFF, this.#settings.random);
  }

  lost(address: string, reason: string): void {
    const { logger, role, time } = this.#settings;
    this.#cancelBack?.();
    if (time.monotonic() - this.#backAt < STEADY_MS) this.#relapses += 1;
    else {
      this.#logged.clear();
      this.#attempts = 0;
      this.#relapses = 0;
      this.#lostAt = time.monotonic();
    }
    if (!this.#isNews(reason)) {
      this.#remind(address, reason);
      return;
    }
    const lost = this.#relapses === 0 ? "lost" : "lost again";
    const then = this.#relapses === 0 ? "reconnecting" : "reconnecting until the connection stays up";
    logger.warn(
      { event: "redis-lost", redis: address, role, reason },
      `connection to ${address} ${lost} (${role}): ${reason}; ${then}`,
    );
  }

  /** An attempt to reconnect failed. */
  failed(address: string, failure: RedisError): void {
    if (this.#closed) return;
    const { logger, role } = this.#settings;
    const { code, retryable, message } = failure;
    // A failure to reach a server is what the outage consists of: it is logged already.
    const known = (retryable && failure.cause !== undefined) || !this.#isNews(message);
    const fields = { redis: address, role, code };
    if (known) this.#remind(address, message);
    else if (retryable) logger.warn({ event: "redis-not-ready", ...fields }, `${message} Trying again.`);
    else logger.error({ event: "redis-refused", ...fields }, message);
  }

  back(address: string, connection: number): void {
    const { logger, role, time } = this.#settings;
    this.#backAt = time.monotonic();
    const downMs = this.#backAt - this.#lostAt;
    const log = (): void => {
      this.#logged.clear();
      logger.info(
        { event: "redis-back", redis: address, role, connection, downMs },
        `connected to ${address} again (${role})`,
      );
    };
    if (this.#relapses === 0) log();
    // After a relapse, this is logged only when the connection has stayed up for a while.
    else this.#cancelBack = time.wakeAfter(STEADY_MS, log);
  }

  /** Nothing more is logged. */
  close(): void {
    this.#closed = true;
    this.#cancelBack?.();
  }

  #isNews(what: string): boolean {
    if (this.#logged.has(what) || this.#logged.size === MOST_NEWS) return false;
    this.#logged.add(what);
    this.#loggedAt = this.#settings.time.monotonic();
    return true;
  }

  #remind(address: string, why: string): void {
    const { logger, role, time } = this.#settings;
    const now = time.monotonic();
    if (now - this.#loggedAt < REMIND_MS) return;
    this.#loggedAt = now;
    const downMs = now - this.#lostAt;
    logger.warn(
      { event: "redis-away", redis: address, role, downMs, attempts: this.#attempts },
      `no stable connection to ${address} for ${Math.round(downMs / 1_000)} s (${role}): ${why}`,
    );
  }
}
