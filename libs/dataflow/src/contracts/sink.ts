import type { Json } from "@millrace/windowing";
import type { PartContext, StartContext } from "./source.ts";
import type { Store, StoreOutput } from "./store.ts";

/** Where rows go. A sink is only a description; {@link Sink.buildPart} opens it for one task. */
export interface Sink<T> {
  /**
   * The store whose commits make this sink's rows visible ({@link SinkPartition.takeOutputs}). A flow that runs with
   * another store, or with none, is refused at its start. Absent: the sink writes its rows itself.
   */
  readonly store?: Store;
  /**
   * `true`: its state describes something that only this machine has, such as a file, so that another worker could not continue
   * it. `@default false`
   */
  readonly local?: boolean;
  /**
   * Refuses a state that this sink cannot resume from, such as a file shorter than its committed length. Called before
   * the task is acquired from another worker, so it must not change anything.
   *
   * Required for a sink whose opening changes what that worker uses, such as one that truncates a file. Absent: opening
   * changes nothing, and `buildPart` itself is called before the task is acquired.
   *
   * @param resume as for `buildPart`
   * @throws StateError for a state that it cannot resume from
   */
  checkResume?(part: string, resume: Json | undefined, context: StartContext): Promise<void>;
  /**
   * Opens the sink for the task of one partition. A sink without `checkResume` is opened before the task is acquired, so
   * that a sink that cannot be opened stops no other worker. If the former owner has committed another state of the sink
   * in between, the opened part is closed and opened again.
   *
   * @param resume what {@link SinkPartition.snapshot} returned at the last commit: anything written after it is undone
   *   where the medium allows it (a file is truncated to that length).
   */
  buildPart(part: string, resume: Json | undefined, context: PartContext): Promise<SinkPartition<T>>;
}

/** A sink as one task uses it. Calls never overlap. */
export interface SinkPartition<T> {
  /** Writes a batch; resolves when the sink can take the next one. This is how backpressure reaches the source. */
  writeBatch(rows: readonly T[]): Promise<void>;
  /**
   * Resolves when every row given to `writeBatch` has left this process; rejects when one cannot. The task awaits it
   * before each commit and at every end.
   */
  flush(): Promise<void>;
  /** Makes the written rows durable and returns the position after them. Called for a commit. Absent: nothing to resume. */
  snapshot?(): Promise<Json>;
  /** Returns the rows that become visible with the commit, and forgets them. The sink must name its store. */
  takeOutputs?(): readonly StoreOutput[];
  /** Only releases: rows that are not flushed may be lost. Idempotent. */
  close(): Promise<void>;
}
