import type { StepContext } from "./step-context.ts";

/** How long (ms) a step that has logged refused events waits until it logs more of them. */
const QUIET_MS = 60_000;

/** Logs that a step refuses events, at most once a minute and with their number. */
export class Refusals {
  readonly #context: StepContext;
  #count = 0;
  #loggedAt = Number.NEGATIVE_INFINITY;

  constructor(context: StepContext) {
    this.#context = context;
  }

  /** @param refused how many of a batch were; @param example what is known of one of them */
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
