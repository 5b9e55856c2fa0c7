import type { DeadLetter } from "../contracts/decoder.ts";
import type { Logger } from "../contracts/logger.ts";
import type { TimeProvider } from "../contracts/time-provider.ts";
import { PAYLOAD_LENGTH, excerpt } from "../excerpt.ts";

/** How many dead letters are logged in full in each period; the others are logged as one number at its end. */
const IN_FULL = 10;
const PERIOD_MS = 60_000;

/** Logs dead letters without a sink, for all tasks of a run. */
export class DeadLetterLog {
  readonly #logger: Logger;
  readonly #time: TimeProvider;
  /** Dead letters of this period, logged in full and only counted; a period begins with a dead letter. */
  #inFull = 0;
  #counted = 0;
  #cancelPeriod: (() => void) | undefined;

  constructor(logger: Logger, time: TimeProvider) {
    this.#logger = logger;
    this.#time = time;
  }

  put({ step, part, reason, payload }: DeadLetter): void {
    this.#cancelPeriod ??= this.#time.wakeAfter(PERIOD_MS, () => {
      this.endPeriod();
    });
    if (this.#inFull === IN_FULL) {
      this.#counted += 1;
      return;
    }
    this.#inFull += 1;
    this.#logger.warn(
      { event: "dead-letter", step, part, ...reason, payload: excerpt(payload, PAYLOAD_LENGTH) },
      `dead letter: ${reason.message}`,
    );
  }

  /** Logs the number of dead letters that were not logged in full. */
  endPeriod(): void {
    this.#cancelPeriod?.();
    this.#cancelPeriod = undefined;
    const count = this.#counted;
    this.#inFull = 0;
    this.#counted = 0;
    if (count === 0) return;
    this.#logger.warn(
      { event: "dead-letters", count },
      `${count} more dead letters were not logged; give the flow a sink for them (\`deadLetter\`) to keep them`,
    );
  }
}
