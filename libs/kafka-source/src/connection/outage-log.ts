import type { PartContext } from "@millrace/dataflow";
import type { KafkaError } from "../errors.ts";

/** The same failure is logged again at this interval, ms, also if other requests succeed in between. */
const REMIND_MS = 30_000;
/** Longest delay (ms) before the first retry, and of all. */
const FIRST_RETRY_MS = 50;
const LONGEST_RETRY_MS = 2_000;

type LogContext = Pick<PartContext, "logger" | "time" | "step">;

/** The failures of one request that is repeated. */
export interface Repetition {
  /** It failed. @returns how long to wait before the next attempt, ms: a random time below a bound that doubles */
  failed(failure: KafkaError): number;
  /** It has succeeded, or is given up. */
  ended(): void;
}

/**
 * Logs when requests fail, and when none of them fails any more. Several are repeated at the same time: of one partition
 * the reads may fail while everything else succeeds.
 */
export class OutageLog {
  readonly #address: string;
  readonly #context: LogContext;
  readonly #random: () => number;
  /** Requests that fail now. */
  #failing = 0;
  #since = 0;
  readonly #loggedAt = new Map<string, number>();
  /** How often requests began to fail, and how often none failed any more. */
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
        if (failures === 0) this.#began();
        this.#log(failure);
        const bound = Math.min(FIRST_RETRY_MS * 2 ** failures, LONGEST_RETRY_MS);
        failures += 1;
        return Math.round(bound * this.#random());
      },
      ended: () => {
        if (failures > 0) this.#over();
      },
    };
  }

  #began(): void {
    this.#failing += 1;
    if (this.#failing > 1) return;
    this.outages += 1;
    this.#since = this.#context.time.monotonic();
  }

  #over(): void {
    this.#failing -= 1;
    if (this.#failing > 0) return;
    this.recoveries += 1;
    this.#loggedAt.clear();
    const { logger, time, step } = this.#context;
    const downMs = Math.round(time.monotonic() - this.#since);
    logger.info({ event: "kafka-back", step, downMs }, `${this.#address} answers again`);
  }

  #log({ code, message }: KafkaError): void {
    const { logger, time, step } = this.#context;
    const now = time.monotonic();
    if (now - (this.#loggedAt.get(message) ?? Number.NEGATIVE_INFINITY) < REMIND_MS) return;
    this.#loggedAt.set(message, now);
    const downMs = Math.round(now - this.#since);
    logger.warn({ event: "kafka-lost", step, code, downMs }, `${message} Trying again.`);
  }
}
