import type { PartContext } from "@millrace/dataflow";
import type { FrameHeader } from "./frame.ts";
import type { FrameVerdict } from "./producer-ledger.ts";

/** One broken producer after the other must not fill the log, nor the memory. */
const AT_MOST_EVERY_MS = 10_000;
const MOST_NAMES = 1_024;

/** Logs what is not believed of messages: once for each producer, and not more often than every 10 s. */
export class SuspicionLog {
  readonly #part: string;
  readonly #context: Pick<PartContext, "logger" | "step" | "time">;
  readonly #named = new Set<string>();
  #nextAt = Number.NEGATIVE_INFINITY;

  /** @param part the channel or stream */
  constructor(part: string, context: Pick<PartContext, "logger" | "step" | "time">) {
    this.#part = part;
    this.#context = context;
  }

  /** Looks at what a message turned out to be. */
  note(
    { producer, first, publishedAtMs }: FrameHeader,
    { suspicion, publishedAtMs: believed }: FrameVerdict,
  ): void {
    if (suspicion === undefined || this.#named.has(producer)) return;
    const { logger, step, time } = this.#context;
    const now = time.monotonic();
    if (now < this.#nextAt) return;
    this.#nextAt = now + AT_MOST_EVERY_MS;
    if (this.#named.size < MOST_NAMES) this.#named.add(producer);
    const what =
      suspicion === "number"
        ? `a message with number ${first}, further ahead than it can have published: nothing counts as lost for that`
        : `a message from ${timeOf(publishedAtMs)}, which is in the future: it counts as published at ${timeOf(believed)}`;
    logger.warn(
      { event: "suspicious", part: this.#part, step, producer, suspicion, first, publishedAtMs },
      `producer ${producer} of ${this.#part} sent ${what}. Look at its clock and its numbers; further messages of it ` +
        "are counted as suspicious and not logged.",
    );
  }
}

function timeOf(ms: number): string {
  const date = new Date(ms);
  return Number.isNaN(date.getTime()) ? String(ms) : date.toISOString();
}
