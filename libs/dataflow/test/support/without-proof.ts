import type { Source } from "@millrace/dataflow";
import type { TestingSource } from "@millrace/dataflow/testing";

/** The same source, which cannot prove that nothing is left to read. */
export function withoutProof<T>(inner: TestingSource<T>): Source<T> & { readonly inner: TestingSource<T> } {
  return {
    inner,
    partitioning: inner.partitioning,
    listParts: () => inner.listParts(),
    async buildPart(part, resume, context) {
      const opened = await inner.buildPart(part, resume, context);
      return {
        nextBatch: () => opened.nextBatch(),
        snapshot: () => opened.snapshot(),
        stop: () => opened.stop?.(),
        close: () => opened.close(),
      };
    },
  };
}
