import type { Json } from "@millrace/windowing";
import type { Sink, SinkPartition } from "../contracts/sink.ts";
import type { PartContext, StartContext } from "../contracts/source.ts";

/** A sink that gives another one what a function makes of each row. It promises what that sink promises. */
export function mapRows<T, U>(sink: Sink<U>, map: (row: T) => U): Sink<T> {
  const mapped: Sink<T> = {
    buildPart: async (part: string, resume: Json | undefined, context: PartContext) =>
      mapPartition(await sink.buildPart(part, resume, context), map),
    ...(sink.local === undefined ? {} : { local: sink.local }),
    ...(sink.store === undefined ? {} : { store: sink.store }),
  };
  if (sink.checkResume === undefined) return mapped;
  const checkResume = async (part: string, resume: Json | undefined, context: StartContext): Promise<void> =>
    sink.checkResume?.(part, resume, context);
  return { ...mapped, checkResume };
}

function mapPartition<T, U>(into: SinkPartition<U>, map: (row: T) => U): SinkPartition<T> {
  const partition: SinkPartition<T> = {
    writeBatch: (rows) => into.writeBatch(rows.map(map)),
    flush: () => into.flush(),
    close: () => into.close(),
  };
  if (into.snapshot !== undefined) partition.snapshot = async () => (await into.snapshot?.()) ?? null;
  if (into.takeOutputs !== undefined) partition.takeOutputs = () => into.takeOutputs?.() ?? [];
  return partition;
}
