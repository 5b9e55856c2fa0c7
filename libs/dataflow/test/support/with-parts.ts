import type { Json, PartContext, Source, SourcePartition } from "@millrace/dataflow";

/** The same source; of what a partition may leave out, those that it opens do only what `added` gives. */
export function withParts<T>(
  inner: Source<T>,
  added: (
    opened: SourcePartition<T>,
    resume: Json | undefined,
    context: PartContext,
  ) => Partial<SourcePartition<T>>,
): Source<T> {
  return {
    partitioning: inner.partitioning,
    listParts: () => inner.listParts(),
    async buildPart(part, resume, context) {
      const opened = await inner.buildPart(part, resume, context);
      return {
        nextBatch: () => opened.nextBatch(),
        snapshot: () => opened.snapshot(),
        stop: () => opened.stop?.(),
        close: () => opened.close(),
        ...added(opened, resume, context),
      };
    },
  };
}
