import type { PartContext } from "@millrace/dataflow";
import { KafkaNotReadyError, KafkaUnreachableError } from "../errors.ts";
import type { KafkaError } from "../errors.ts";

/** The same failure is logged again at this interval, ms, also if other requests succeed in between. */
const REMIND_MS = 30_000;
/** Until then a broker that is not ready yet is no news, ms: it loads a group or makes a topic of its own at first use. */
const NOT_READY_MS = 5_000;
/** Longest delay (ms) before the first retry, and of all. */
const FIRST_RETRY_MS = 50;
const LONGEST_RETRY_MS = 2_000;

type LogContext = Pick<PartContext, "logger" | "time" | "step">;

/** The failures of one request that is repeated. */
export interface Repetition {
  /** It failed. @returns how long to wait before the next attempt, ms: a random time below a bound that doubles */
  failed(failure: KafkaError): number;
  /** It has succeeded, or is given up: for good, or because the program does not need it any more. */
  ended(succeeded: boolean): void;
}

/**
 * Logs when requests fail, and when one succeeds and none fails any more. Several are repeated at the same time: of one partition
 * the reads may fail while everything else succeeds.
 */
export class OutageLog {
  readonly #address: string;
  readonly #context: LogContext;
  readonly #random: () => number;
  /** Requests that fail now. */
  #failing = 0;
  /** Since when, by the monotonic clock, ms; `undefined`: Kafka answers. */
  #since: number | undefined;
  readonly #loggedAt = new Map<string, number>();
  /** How often requests began to fail, and how often Kafka answered again. */
  outages = 0;
  recoveries = 0;

  constructor(address: string, context: LogContext, random: () => number = Math.random) {
    this.#address = address;
    this.#context = context;
    this.#random = random;
  }

  begin(): Repetition {
    let failures = 0;
    return {
      failed: (failure) => {
        if (failures === 0) this.#failing += 1;
        if (this.#since === undefined) this.#began();
        if (this.#isNews(failure)) {
          this.#warn(keyOf(failure), "kafka-lost", `${failure.message} Trying again.`, {
            code: failure.code,
          });
        }
        const bound = Math.min(FIRST_RETRY_MS * 2 ** failures, LONGEST_RETRY_MS);
        failures += 1;
        return Math.round(bound * this.#random());
      },
      ended: (succeeded) => {
        if (failures > 0) this.#failing -= 1;
        if (succeeded && this.#failing === 0 && this.#since !== undefined) this.#over(this.#since);
      },
    };
  }

  /** A request has had no answer for this time, ms. */
  slow(what: string, waitedMs: number): void {
    const message = `${this.#address} has not answered ${what} for ${waitedMs} ms. Waiting for the answer.`;
    this.#warn(`slow ${what}`, "kafka-slow", message, { waitedMs });
  }

  #began(): void {
    this.outages += 1;
    this.#since = this.#context.time.monotonic();
  }

  #isNews(failure: KafkaError): boolean {
    if (!(failure instanceof KafkaNotReadyError)) return true;
    const { time } = this.#context;
    return time.monotonic() - (this.#since ?? time.monotonic()) >= NOT_READY_MS;
  }

  #over(since: number): void {
    this.#since = undefined;
    this.recoveries += 1;
    if (this.#loggedAt.size === 0) return;
    this.#loggedAt.clear();
    const { logger, time, step } = this.#context;
    const downMs = Math.round(time.monotonic() - since);
    logger.info({ event: "kafka-back", step, downMs }, `${this.#address} answers again`);
  }

  #warn(key: string, event: string, message: string, fields: object): void {
    const { logger, time, step } = this.#context;
    const now = time.monotonic();
    if (now - (this.#loggedAt.get(key) ?? Number.NEGATIVE_INFINITY) < REMIND_MS) return;
    this.#loggedAt.set(key, now);
    const down = this.#since === undefined ? {} : { downMs: Math.round(now - this.#since) };
    logger.warn({ event, step, ...fields, ...down }, message);
  }
}

/** The same failure of the same request, whatever the details: these may differ each time. */
function keyOf(failure: KafkaError): string {
  const request = failure instanceof KafkaUnreachableError ? failure.request : undefined;
  return `${failure.code} ${request ?? failure.message}`;
}
