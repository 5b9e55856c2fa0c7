import { SourceError } from "@millrace/dataflow";
import type {
  Drained,
  Json,
  PartContext,
  Partitioning,
  Source,
  SourceBatch,
  SourcePartition,
} from "@millrace/dataflow";

/** Repeats another source: opens it again at its end. It ends only when it is stopped. */
export class RepeatingSource<T> implements Source<T> {
  readonly partitioning: Partitioning;
  readonly #inner: Source<T>;

  constructor(inner: Source<T>) {
    this.partitioning = inner.partitioning;
    this.#inner = inner;
  }

  listParts(): Promise<readonly string[]> {
    return this.#inner.listParts();
  }

  checkPosition(part: string, position: Json): void {
    this.#inner.checkPosition?.(part, position);
  }

  async buildPart(part: string, resume: Json | undefined, context: PartContext): Promise<SourcePartition<T>> {
    const first = await this.#inner.buildPart(part, resume, context);
    return new RepeatingPartition(first, part, () => this.#inner.buildPart(part, undefined, context));
  }
}

class RepeatingPartition<T> implements SourcePartition<T> {
  #inner: SourcePartition<T>;
  readonly #part: string;
  readonly #reopen: () => Promise<SourcePartition<T>>;
  readonly drained?: () => Promise<Drained | undefined>;
  #stopped = false;
  #closed = false;

  constructor(inner: SourcePartition<T>, part: string, reopen: () => Promise<SourcePartition<T>>) {
    this.#inner = inner;
    this.#part = part;
    this.#reopen = reopen;
    if (inner.drained !== undefined) this.drained = async () => this.#inner.drained?.();
  }

  /** @throws SourceError for an input without events, which would be reopened in an endless loop */
  async nextBatch(): Promise<SourceBatch<T>> {
    for (let openedAnew = false; !this.#stopped; openedAnew = true) {
      const batch = await this.#inner.nextBatch();
      if (batch.kind === "batch") return batch;
      if (openedAnew) throw new SourceError(`cannot repeat ${this.#part}: it has no events`);
      await this.#inner.close();
      this.#inner = await this.#reopen();
      if (this.#closed) await this.#inner.close();
    }
    return { kind: "end" };
  }

  /** Position within the current pass. */
  snapshot(): Json {
    return this.#inner.snapshot();
  }

  stop(): void {
    this.#stopped = true;
    this.#inner.stop?.();
  }

  async close(): Promise<void> {
    this.#stopped = true;
    this.#closed = true;
    await this.#inner.close();
  }
}
