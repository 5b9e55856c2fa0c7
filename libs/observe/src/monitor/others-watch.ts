import type { TimeProvider } from "@millrace/dataflow";
import type { OtherWorker } from "../api/schemas.ts";

/** Between two questions, ms. */
const ASK_EVERY_MS = 1_000;

/** The other workers that share the tasks of a flow: asked for only by requests and for open pages, at most once a second. */
export class OthersWatch {
  readonly #ask: (flow: string) => Promise<readonly OtherWorker[]>;
  readonly #time: TimeProvider;
  #askedAt = Number.NEGATIVE_INFINITY;
  #asking: Promise<void> | undefined;
  #known: readonly OtherWorker[] | null = null;

  constructor(ask: (flow: string) => Promise<readonly OtherWorker[]>, time: TimeProvider) {
    this.#ask = ask;
    this.#time = time;
  }

  /** The last answer; `null`: there is none, or the last question failed. */
  get known(): readonly OtherWorker[] | null {
    return this.#known;
  }

  /** Returns when the answer is known that is to be shown now. Never rejects. */
  look(flow: string): Promise<void> {
    if (this.#asking !== undefined) return this.#asking;
    const now = this.#time.monotonic();
    if (now - this.#askedAt < ASK_EVERY_MS) return Promise.resolve();
    this.#askedAt = now;
    this.#asking = this.#askNow(flow);
    return this.#asking;
  }

  async #askNow(flow: string): Promise<void> {
    try {
      this.#known = await this.#ask(flow);
    } catch {
      // Old owners would mislead.
      this.#known = null;
    } finally {
      this.#asking = undefined;
    }
  }
}
