import type { Sink } from "@millrace/dataflow";

/** A sink that does not wait until its rows are written. */
export function withoutFlush<T>(sink: Sink<T>): Sink<T> {
  return {
    async buildPart(part, resume, context) {
      const inner = await sink.buildPart(part, resume, context);
      return {
        writeBatch: (rows) => inner.writeBatch(rows),
        flush: () => Promise.resolve(),
        close: () => inner.close(),
      };
    },
  };
}
