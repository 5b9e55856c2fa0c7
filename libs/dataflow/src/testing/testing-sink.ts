import type { Sink, SinkPartition } from "../contracts/sink.ts";

/** Keeps every row, in the order in which they were written. */
export class TestingSink<T> implements Sink<T> {
  readonly #rows: T[] = [];

  /** All rows so far. */
  get rows(): readonly T[] {
    return this.#rows;
  }

  /** The rows since the last call. */
  take(): readonly T[] {
    return this.#rows.splice(0);
  }

  buildPart(): Promise<SinkPartition<T>> {
    return Promise.resolve({
      writeBatch: (rows: readonly T[]) => {
        for (const row of rows) this.#rows.push(row);
        return Promise.resolve();
      },
      flush: () => Promise.resolve(),
      close: () => Promise.resolve(),
    });
  }
}
