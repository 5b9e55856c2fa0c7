import type { PartContext } from "@millrace/dataflow";
import type { FrameHeader } from "./frame.ts";
import type { FrameVerdict } from "./producer-ledger.ts";

/** Many broken producers must not fill the log or the memory. */
const AT_MOST_EVERY_MS = 10_000;
const MOST_NAMES = 1_024;

/** Logs numbers and publish times that are not believed: once for each producer, and at most every 10 s. */
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

  /** Logs the suspicion of a message, if there is one. */
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
        ? `a message with number ${first}, further ahead than it can have published: nothing counts as lost for this gap`
        : `a message from ${timeOf(publishedAtMs)}, which is in the future: it counts as published at ${timeOf(believed)}`;
    logger.warn(
      { event: "suspicious", part: this.#part, step, producer, suspicion, first, publishedAtMs },
      `producer ${producer} of ${this.#part} sent ${what}. Check its clock and its numbers; its further messages are ` +
        "counted as suspicious and not logged.",
    );
  }
}

function timeOf(ms: number): string {
  const date = new Date(ms);
  return Number.isNaN(date.getTime()) ? String(ms) : date.toISOString();
}
