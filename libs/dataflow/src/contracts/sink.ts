import type { Json } from "@millrace/windowing";
import type { PartContext } from "./source.ts";
import type { StoreOutput } from "./store.ts";

/** Where rows go. A sink only describes; {@link Sink.buildPart} opens it for one task. */
export interface Sink<T> {
  /**
   * Opens the sink for the task of one partition.
   *
   * @param resume what {@link SinkPartition.snapshot} told at the last commit: anything written after it is undone
   *   where the medium allows (a file is cut back to that length).
   */
  buildPart(part: string, resume: Json | undefined, context: PartContext): Promise<SinkPartition<T>>;
}

/** A sink as one task uses it. Calls never overlap. */
export interface SinkPartition<T> {
  /** Takes a batch; resolves when the sink can take the next one, which is how backpressure reaches the source. */
  writeBatch(rows: readonly T[]): Promise<void>;
  /** Makes what was written durable and tells where it ends; called for a commit. Absent: nothing to resume. */
  snapshot?(): Promise<Json>;
  /** Rows that are to become visible with the commit itself; the sink hands them over and forgets them. */
  takeOutputs?(): readonly StoreOutput[];
  /** Releases everything after the last write. Idempotent. */
  close(): Promise<void>;
}
