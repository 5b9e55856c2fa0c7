import type { Json } from "@millrace/windowing";
import type {
  PartContext,
  Partitioning,
  Source,
  SourceBatch,
  SourcePartition,
  Drained,
} from "../contracts/source.ts";
import { StateError } from "../errors.ts";

/** The parts of a testing source. */
export interface TestingSourceOptions {
  /** @default ["testing"] */
  readonly parts?: readonly string[];
  /** @default single for one part, arbitrary for several */
  readonly partitioning?: Partitioning;
}

interface Item<T> {
  readonly events: readonly T[];
  readonly times: readonly number[] | undefined;
}

/**
 * The input of one part, and the partitions that read it: several while one worker replaces another. It outlives a
 * crash, as a broker does.
 */
class Log<T> {
  readonly items: Item<T>[] = [];
  ended = false;
  failure: Error | undefined;
  paused = false;
  connection = 1;
  readonly readers = new Set<() => void>();

  notify(): void {
    for (const wake of this.readers) wake();
  }
}

/**
 * A source that a test feeds by hand: batches stay as they were pushed. It keeps all events, so a later run resumes
 * by position. While paused it behaves as if disconnected.
 */
export class TestingSource<T> implements Source<T> {
  readonly partitioning: Partitioning;
  readonly #logs: ReadonlyMap<string, Log<T>>;

  constructor({ parts = ["testing"], partitioning }: TestingSourceOptions = {}) {
    this.partitioning = partitioning ?? (parts.length === 1 ? { kind: "single" } : { kind: "arbitrary" });
    this.#logs = new Map(parts.map((part) => [part, new Log<T>()]));
  }

  listParts(): Promise<readonly string[]> {
    return Promise.resolve([...this.#logs.keys()]);
  }

  /** One batch. @param times when each event's message was published, ms */
  push(
    events: readonly T[],
    { part, times }: { readonly part?: string; readonly times?: readonly number[] } = {},
  ): void {
    const log = this.#log(part);
    log.items.push({ events, times });
    log.notify();
  }

  /** The input of one part, or of all, is over once it has been read. */
  end(part?: string): void {
    for (const log of this.#some(part)) {
      log.ended = true;
      log.notify();
    }
  }

  /** Reading fails until `mend`: like a crash of the task, which commits nothing more. */
  fail(error: Error, part?: string): void {
    for (const log of this.#some(part)) {
      log.failure = error;
      log.notify();
    }
  }

  /** Ends a failure, for a later run. */
  mend(part?: string): void {
    for (const log of this.#some(part)) log.failure = undefined;
  }

  /** Delivers no events and no proofs until `resume`. */
  pause(part?: string): void {
    for (const log of this.#some(part)) log.paused = true;
  }

  /** Continues, over a new connection. */
  resume(part?: string): void {
    for (const log of this.#some(part)) {
      log.paused = false;
      log.connection += 1;
      log.notify();
    }
  }

  buildPart(part: string, resume: Json | undefined, context: PartContext): Promise<SourcePartition<T>> {
    const start = resume ?? 0;
    if (typeof start !== "number")
      throw new StateError(`a testing position is a number, not ${JSON.stringify(start)}`);
    return Promise.resolve(new TestingPartition<T>(this.#log(part), start, context));
  }

  #log(part: string | undefined): Log<T> {
    const [log] = this.#some(part ?? [...this.#logs.keys()][0]);
    if (log === undefined) throw new RangeError(`there is no partition ${part ?? ""}`);
    return log;
  }

  #some(part: string | undefined): readonly Log<T>[] {
    if (part === undefined) return [...this.#logs.values()];
    const log = this.#logs.get(part);
    if (log === undefined) throw new RangeError(`there is no partition ${part}`);
    return [log];
  }
}

class TestingPartition<T> implements SourcePartition<T> {
  readonly #log: Log<T>;
  readonly #context: PartContext;
  #next: number;
  #stopped = false;
  #closed = false;
  #waiting: (() => void)[] = [];

  constructor(log: Log<T>, start: number, context: PartContext) {
    this.#log = log;
    this.#next = start;
    this.#context = context;
    log.readers.add(this.#wake);
  }

  async nextBatch(): Promise<SourceBatch<T>> {
    for (;;) {
      const log = this.#log;
      if (this.#closed || this.#stopped) return { kind: "end" };
      if (!log.paused) {
        if (log.failure !== undefined) throw log.failure;
        const item = log.items[this.#next];
        if (item !== undefined) {
          this.#next += 1;
          const { events, times } = item;
          return times === undefined ? { kind: "batch", events } : { kind: "batch", events, times };
        }
        if (log.ended) return { kind: "end" };
      }
      await this.#changed();
    }
  }

  async drained(): Promise<Drained | undefined> {
    while (this.#log.paused && !this.#closed) await this.#changed();
    if (this.#closed || this.#next < this.#log.items.length) return undefined;
    return { at: this.#context.time.now(), connection: this.#log.connection };
  }

  snapshot(): Json {
    return this.#next;
  }

  stop(): void {
    this.#stopped = true;
    this.#wake();
  }

  close(): Promise<void> {
    this.#closed = true;
    this.#wake();
    this.#log.readers.delete(this.#wake);
    return Promise.resolve();
  }

  readonly #wake = (): void => {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const wake of waiting) wake();
  };

  #changed(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }
}
