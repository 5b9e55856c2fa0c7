import type { PartContext } from "@millrace/dataflow";
import type { KafkaError } from "../errors.ts";

/** While an outage lasts, it is logged again at this interval, ms. */
const REMIND_MS = 30_000;
/** Longest delay (ms) before the first retry, and of all. */
const FIRST_RETRY_MS = 50;
const LONGEST_RETRY_MS = 2_000;

type LogContext = Pick<PartContext, "logger" | "time" | "step">;

/** Logs when requests fail and when they succeed again, once each, and says how long to wait before a retry. */
export class OutageLog {
  readonly #address: string;
  readonly #context: LogContext;
  readonly #random: () => number;
  #failures = 0;
  #since = 0;
  #loggedAt = 0;
  #reason = "";

  constructor(address: string, context: LogContext, random: () => number = Math.random) {
    this.#address = address;
    this.#context = context;
    this.#random = random;
  }

  /** How often an outage began, and how often one ended. */
  outages = 0;
  recoveries = 0;

  /** A request failed. @returns how long to wait before the next one, ms: a random time below a bound that doubles */
  failed(failure: KafkaError): number {
    const { logger, time, step } = this.#context;
    const now = time.monotonic();
    if (this.#failures === 0) {
      this.#since = now;
      this.outages += 1;
    }
    if (this.#reason !== failure.message || now - this.#loggedAt >= REMIND_MS) {
      this.#reason = failure.message;
      this.#loggedAt = now;
      const { code, message } = failure;
      const downMs = Math.round(now - this.#since);
      logger.warn({ event: "kafka-lost", step, code, downMs }, `${message} Trying again.`);
    }
    const bound = Math.min(FIRST_RETRY_MS * 2 ** this.#failures, LONGEST_RETRY_MS);
    this.#failures += 1;
    return Math.round(bound * this.#random());
  }

  succeeded(): void {
    if (this.#failures === 0) return;
    this.#failures = 0;
    this.#reason = "";
    this.recoveries += 1;
    const { logger, time, step } = this.#context;
    const downMs = Math.round(time.monotonic() - this.#since);
    logger.info({ event: "kafka-back", step, downMs }, `${this.#address} answers again`);
  }
}
