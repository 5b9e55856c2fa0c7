import type { WindowOverflow } from "@millrace/windowing";
import type { StepContext } from "./step-context.ts";

/** Warns once when a window step has no room for further keys, and once when its folds have no room for further values. */
export class OverflowWatch {
  readonly #context: StepContext;
  /** Thresholds of the warnings; infinite after the warning. */
  #events = 0;
  #values = 0;

  constructor(context: StepContext) {
    this.#context = context;
  }

  /** Counts from earlier runs cause no warning in this run. */
  begin({ overflowed, overflowedValues }: WindowOverflow): void {
    this.#events = overflowed;
    this.#values = overflowedValues;
  }

  look({ overflowed, overflowedValues }: WindowOverflow): void {
    const { step, part, logger } = this.#context;
    const where = `step "${step}", partition "${part}"`;
    if (overflowed > this.#events) {
      const events = overflowed - this.#events;
      this.#events = Number.POSITIVE_INFINITY;
      logger.warn(
        { event: "keys-overflow", step, part, events },
        `${where}: there is no room for more keys. Their events count under the overflow key, ${events} until now; the report ` +
          "has the final number. For more keys raise maxKeys or maxKeysPerWindow, and the heap limit " +
          "(--max-old-space-size).",
      );
    }
    if (overflowedValues > this.#values) {
      const values = overflowedValues - this.#values;
      this.#values = Number.POSITIVE_INFINITY;
      logger.warn(
        { event: "values-overflow", step, part, values },
        `${where}: a fold has no room for more values, or they are too large. Rows count them as overflow, ${values} until ` +
          "now; the report has the final number. For more values raise the bounds of the fold, or " +
          "maxStateBytes and the heap limit (--max-old-space-size).",
      );
    }
  }
}

/** Minimum time (ms) between two logs of refused events by one step. */
const QUIET_MS = 60_000;

/** Logs refused events with their number, at most once a minute. */
export class Refusals {
  readonly #context: StepContext;
  #count = 0;
  #loggedAt = Number.NEGATIVE_INFINITY;

  constructor(context: StepContext) {
    this.#context = context;
  }

  /** @param refused how many of a batch were refused; @param example details of one of them */
  add(refused: number, example: object): void {
    this.#count += refused;
    const { step, part, logger, time } = this.#context;
    const now = time.monotonic();
    if (this.#count === 0 || now < this.#loggedAt + QUIET_MS) return;
    const fields = { event: "events-refused", step, part, count: this.#count, ...example };
    logger.warn(fields, "events were refused: their timestamp is too far in the future, or invalid");
    this.#count = 0;
    this.#loggedAt = now;
  }
}
