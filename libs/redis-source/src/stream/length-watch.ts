import type { PartContext } from "@millrace/dataflow";

/** The least time (ms) between two warnings. */
const HOUR_MS = 3_600_000;

/** Warns about a stream that grows because nothing deletes its entries: Redis keeps all of them in memory. */
export class LengthWatch {
  readonly #stream: string;
  readonly #most: number;
  readonly #context: PartContext;
  #nextAt = Number.NEGATIVE_INFINITY;

  /** @param most entries without a warning; `Infinity`: never warns */
  constructor(stream: string, most: number, context: PartContext) {
    this.#stream = stream;
    this.#most = most;
    this.#context = context;
  }

  /** @param length entries that the stream has now */
  look(length: number): void {
    const { time, logger, step } = this.#context;
    if (length <= this.#most || time.monotonic() < this.#nextAt) return;
    this.#nextAt = time.monotonic() + HOUR_MS;
    logger.warn(
      { event: "stream-long", stream: this.#stream, step, entries: length },
      `stream ${this.#stream} has ${length} entries, all of them in Redis' memory. To delete those that this flow has committed ` +
        "and every other group has passed, run it with --trim (option trim); --max-stream-length bounds what a publisher adds",
    );
  }
}
