import type {
  Drained,
  Json,
  PartContext,
  Partitioning,
  Source,
  SourceBatch,
  SourcePartition,
  SourceStats,
  TimeProvider,
} from "@millrace/dataflow";
import { SourceError } from "@millrace/dataflow";

/** Minimum time between two batches, ms. At higher rates a batch has several events. */
const TICK_MS = 20;
const NOTHING = { kind: "batch", events: [] } as const;
/** How much of a delay (ms) the source catches up on. A longer delay shifts the schedule by the rest. */
const LONGEST_CATCH_UP_MS = 1_000;

/**
 * Limits another source to a steady rate.
 *
 * After a short delay (Redis is slow or unreachable) it catches up; after a long one it continues at its rate, without a
 * burst.
 */
export class PacedSource<T> implements Source<T> {
  readonly partitioning: Partitioning;
  readonly #inner: Source<T>;
  readonly #eventsPerSecond: number;

  /** @param eventsPerSecond above 0; of each partition */
  constructor(inner: Source<T>, eventsPerSecond: number) {
    this.partitioning = inner.partitioning;
    this.#inner = inner;
    this.#eventsPerSecond = eventsPerSecond;
  }

  listParts(): Promise<readonly string[]> {
    return this.#inner.listParts();
  }

  /** @throws SourceError */
  checkPosition(part: string, position: Json): void {
    const { at } = readPosition(position);
    if (at !== undefined) this.#inner.checkPosition?.(part, at);
  }

  async buildPart(part: string, resume: Json | undefined, context: PartContext): Promise<SourcePartition<T>> {
    const { at, behind } = readPosition(resume);
    const inner = await this.#inner.buildPart(part, at, context);
    const partition = new PacedPartition(inner, 1_000 / this.#eventsPerSecond, context.time);
    await partition.skip(behind);
    return partition;
  }
}

class PacedPartition<T> implements SourcePartition<T> {
  readonly #inner: SourcePartition<T>;
  readonly #msPerEvent: number;
  readonly #time: TimeProvider;
  /** Not drained while events are queued that are not due yet. */
  readonly drained?: () => Promise<Drained | undefined>;
  #batch: Extract<SourceBatch<T>, { readonly kind: "batch" }> = NOTHING;
  /** Position before the current batch, and how many of its events were delivered. */
  #at: Json;
  #behind = 0;
  /** When the next event is due, ms on the monotonic clock. */
  #due: number;
  #read = 0;
  #stopped = false;
  #wake: (() => void) | undefined;

  constructor(inner: SourcePartition<T>, msPerEvent: number, time: TimeProvider) {
    this.#inner = inner;
    this.#msPerEvent = msPerEvent;
    this.#time = time;
    this.#at = inner.snapshot();
    this.#due = time.monotonic();
    if (inner.drained === undefined) return;
    this.drained = async () => {
      const proof = this.#queued === 0 ? await inner.drained?.() : undefined;
      return this.#queued === 0 ? proof : undefined;
    };
  }

  /** Skips the events that were delivered before a resume. */
  async skip(events: number): Promise<void> {
    // The inner source may split its batches differently from the last run.
    for (let left = events; left > 0; left -= this.#behind) {
      if (!(await this.#refill()))
        throw new SourceError(
          "cannot resume: the input is shorter than the committed position; give the same input, or reset the state",
        );
      this.#behind = Math.min(left, this.#batch.events.length);
    }
  }

  async nextBatch(): Promise<SourceBatch<T>> {
    if (!(await this.#refill())) return { kind: "end" };
    await this.#untilDue();
    if (this.#stopped) return { kind: "end" };
    const now = this.#time.monotonic();
    this.#due = Math.max(this.#due, now - LONGEST_CATCH_UP_MS);
    const allowed = 1 + Math.floor((now - this.#due) / this.#msPerEvent);
    const { events, times } = this.#batch;
    const from = this.#behind;
    const to = Math.min(from + allowed, events.length);
    this.#behind = to;
    this.#read += to - from;
    this.#due += (to - from) * this.#msPerEvent;
    return {
      kind: "batch",
      events: events.slice(from, to),
      ...(times === undefined ? {} : { times: times.slice(from, to) }),
    };
  }

  /** Inside a batch of the inner source: the position before the batch, and the number of events after it. */
  snapshot(): Json {
    return { at: this.#at, behind: this.#behind };
  }

  stats(): SourceStats {
    return { duplicates: 0, lost: 0, ...this.#inner.stats?.(), read: this.#read, queued: this.#queued };
  }

  /** Drops the queued events that are not due yet: at a low rate their delivery could take for ever. */
  stop(): void {
    this.#stopped = true;
    this.#inner.stop?.();
    this.#wake?.();
  }

  async close(): Promise<void> {
    this.stop();
    await this.#inner.close();
  }

  /** Number of events that were read and not yet delivered. */
  get #queued(): number {
    return this.#batch.events.length - this.#behind;
  }

  /** @returns whether there is an event to deliver */
  async #refill(): Promise<boolean> {
    while (this.#queued === 0) {
      if (this.#stopped) return false;
      this.#at = this.#inner.snapshot();
      this.#behind = 0;
      this.#batch = NOTHING;
      const next = await this.#inner.nextBatch();
      if (next.kind === "end") return false;
      this.#batch = next;
    }
    return true;
  }

  async #untilDue(): Promise<void> {
    const now = this.#time.monotonic();
    if (this.#stopped || this.#due <= now) return;
    // Several events share a timer: a timer for each would be expensive at high rates.
    const delayMs = Math.max(this.#due - now, TICK_MS);
    await new Promise<void>((resolve) => {
      const cancel = this.#time.wakeAfter(delayMs, resolve);
      this.#wake = () => {
        cancel();
        resolve();
      };
    });
    this.#wake = undefined;
  }
}

function readPosition(resume: Json | undefined): { readonly at: Json | undefined; readonly behind: number } {
  if (resume === undefined) return { at: undefined, behind: 0 };
  if (typeof resume === "object" && resume !== null && "at" in resume && "behind" in resume) {
    const { at, behind } = resume;
    if (typeof behind === "number") return { at, behind };
  }
  throw new SourceError(`the stored position ${JSON.stringify(resume)} is not one of a paced source`);
}
