import type { Sink, SinkPartition } from "../contracts/sink.ts";

/** Passes rows to a user's function and awaits its result, which applies backpressure to the source. */
export class CallbackSink<T> implements Sink<T> {
  readonly #onBatch: (rows: readonly T[], part: string) => void | Promise<void>;

  constructor(onBatch: (rows: readonly T[], part: string) => void | Promise<void>) {
    this.#onBatch = onBatch;
  }

  buildPart(part: string): Promise<SinkPartition<T>> {
    return Promise.resolve({
      writeBatch: async (rows: readonly T[]) => {
        await this.#onBatch(rows, part);
      },
      // A row has left when the function's promise has resolved.
      flush: () => Promise.resolve(),
      close: () => Promise.resolve(),
    });
  }
}
