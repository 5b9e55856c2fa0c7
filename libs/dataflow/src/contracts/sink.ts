import type { Json } from "@millrace/windowing";
import type { PartContext, StartContext } from "./source.ts";
import type { Store, StoreOutput } from "./store.ts";

/** Where rows go. A sink only describes; {@link Sink.buildPart} opens it for one task. */
export interface Sink<T> {
  /**
   * The store whose commits make this sink's rows visible ({@link SinkPartition.takeOutputs}). A flow that is run
   * with another store, or with none, is refused when it starts. Absent: the sink writes its rows itself.
   */
  readonly store?: Store;
  /**
   * Refuses a start that this sink could not go on from, such as a file that is shorter than what was committed. It is
   * called before the task is taken over from another worker, so it must not change anything.
   *
   * A sink must have it whose opening changes what that worker uses, such as one that cuts a file back. Absent: opening
   * changes nothing, and `buildPart` itself is called before the task is taken over.
   *
   * @param resume as for `buildPart`
   * @throws StateError for a state that it cannot go on from
   */
  checkResume?(part: string, resume: Json | undefined, context: StartContext): Promise<void>;
  /**
   * Opens the sink for the task of one partition. A sink without `checkResume` is opened before the task is taken over,
   * so that one that cannot be opened stops no other worker; if the former owner has committed another state of it in
   * between, what was opened is closed and opened again.
   *
   * @param resume what {@link SinkPartition.snapshot} returned at the last commit: anything written after it is undone
   *   where the medium allows (a file is cut back to that length).
   */
  buildPart(part: string, resume: Json | undefined, context: PartContext): Promise<SinkPartition<T>>;
}

/** A sink as one task uses it. Calls never overlap. */
export interface SinkPartition<T> {
  /** Takes a batch; resolves when the sink can take the next one, which is how backpressure reaches the source. */
  writeBatch(rows: readonly T[]): Promise<void>;
  /**
   * Resolves when every row given to `writeBatch` has left this process for good; rejects when one cannot. The task
   * awaits it before each commit and at every end.
   */
  flush(): Promise<void>;
  /** Makes what was written durable and tells where it ends; called for a commit. Absent: nothing to resume. */
  snapshot?(): Promise<Json>;
  /** Rows that are to become visible with the commit itself; the sink hands them over and forgets them. It must name its store. */
  takeOutputs?(): readonly StoreOutput[];
  /** Only releases: rows that were not flushed may be lost. Idempotent. */
  close(): Promise<void>;
}
