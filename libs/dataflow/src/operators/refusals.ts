import type { StepContext } from "./step-context.ts";

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
    logger.warn(fields, "events were refused: their time lies too far ahead of their arrival, or is none");
    this.#count = 0;
    this.#loggedAt = now;
  }
}
