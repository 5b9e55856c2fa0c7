import type { Json } from "@millrace/windowing";
import type {
  Drained,
  PartContext,
  Partitioning,
  Source,
  SourceBatch,
  SourcePartition,
} from "../contracts/source.ts";
import type { TimeProvider } from "../contracts/time-provider.ts";
import { offsetOf } from "./line-bounds.ts";
import { LocalReader } from "./local-reader.ts";

/** Options of an iterable source. */
export interface IterableSourceOptions {
  /** Events in one batch. @default 500 */
  readonly batchSize?: number;
  /** Name of the one partition. @default "iterable" */
  readonly part?: string;
}

/**
 * Events of an array, a generator or any other iterable, sync or async. It resumes by count, if the iterable returns the
 * same events again: those already read are skipped.
 *
 * An async iterable is read one event per batch: it may pause anywhere, and an event must not wait for the next one.
 * While it pauses it counts as drained: windows close by time, as with any other source. If an event carries its own
 * time and the iterable pauses for slow storage, use `idle: "never"` for the window step, which then waits.
 */
export class IterableSource<T> implements Source<T> {
  readonly partitioning: Partitioning = { kind: "single" };
  readonly #events: Iterable<T> | AsyncIterable<T>;
  readonly #batchSize: number;
  readonly #part: string;

  constructor(
    events: Iterable<T> | AsyncIterable<T>,
    { batchSize = 500, part = "iterable" }: IterableSourceOptions = {},
  ) {
    this.#events = events;
    this.#batchSize = batchSize;
    this.#part = part;
  }

  listParts(): Promise<readonly string[]> {
    return Promise.resolve([this.#part]);
  }

  /** @throws StateError */
  checkPosition(_part: string, position: Json): void {
    offsetOf("an iterable", position);
  }

  /** @throws StateError for a position of another source */
  async buildPart(
    _part: string,
    resume: Json | undefined,
    { time }: PartContext,
  ): Promise<SourcePartition<T>> {
    const start = offsetOf("an iterable", resume ?? 0);
    const partition =
      Symbol.asyncIterator in this.#events
        ? new AsyncPartition(this.#events[Symbol.asyncIterator](), time)
        : new SyncPartition(this.#events[Symbol.iterator](), this.#batchSize);
    await partition.skip(start);
    return partition;
  }
}

class SyncPartition<T> implements SourcePartition<T> {
  readonly #iterator: Iterator<T>;
  readonly #batchSize: number;
  #read = 0;

  constructor(iterator: Iterator<T>, batchSize: number) {
    this.#iterator = iterator;
    this.#batchSize = batchSize;
  }

  skip(count: number): Promise<void> {
    while (this.#read < count && this.#iterator.next().done !== true) this.#read += 1;
    return Promise.resolve();
  }

  nextBatch(): Promise<SourceBatch<T>> {
    const events: T[] = [];
    while (events.length < this.#batchSize) {
      const next = this.#iterator.next();
      if (next.done === true) break;
      events.push(next.value);
    }
    this.#read += events.length;
    return Promise.resolve(events.length === 0 ? { kind: "end" } : { kind: "batch", events });
  }

  /** Until it ends, more events are always at hand. */
  drained(): Promise<undefined> {
    return Promise.resolve(undefined);
  }

  snapshot(): Json {
    return this.#read;
  }

  close(): Promise<void> {
    this.#iterator.return?.();
    return Promise.resolve();
  }
}

class AsyncPartition<T> implements SourcePartition<T> {
  readonly #iterator: AsyncIterator<T>;
  readonly #reader: LocalReader<IteratorResult<T>>;
  #read = 0;

  constructor(iterator: AsyncIterator<T>, time: TimeProvider) {
    this.#iterator = iterator;
    this.#reader = new LocalReader(() => iterator.next(), time);
  }

  async skip(count: number): Promise<void> {
    while (this.#read < count && (await this.#iterator.next()).done !== true) this.#read += 1;
  }

  async nextBatch(): Promise<SourceBatch<T>> {
    const next = await this.#reader.next();
    if (next === undefined || next.done === true) return { kind: "end" };
    this.#read += 1;
    return { kind: "batch", events: [next.value] };
  }

  drained(): Promise<Drained | undefined> {
    return this.#reader.drained();
  }

  snapshot(): Json {
    return this.#read;
  }

  close(): Promise<void> {
    this.#reader.close();
    // Not awaited: a generator that waits for its next event answers only after that.
    void this.#iterator.return?.().catch(() => undefined);
    return Promise.resolve();
  }
}
