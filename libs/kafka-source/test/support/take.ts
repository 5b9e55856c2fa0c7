import type { SourcePartition } from "@millrace/dataflow";

/** Takes batches until there are `count` events. */
export async function take<T>(partition: SourcePartition<T>, count: number): Promise<T[]> {
  const events: T[] = [];
  while (events.length < count) {
    const batch = await partition.nextBatch();
    if (batch.kind === "end") throw new Error(`the input ended after ${events.length} of ${count} events`);
    events.push(...batch.events);
  }
  return events;
}

/** Takes batches until the log has nothing more. */
export async function takeAll<T>(partition: SourcePartition<T>): Promise<T[]> {
  const events: T[] = [];
  while ((await partition.drained?.()) === undefined) {
    const batch = await partition.nextBatch();
    if (batch.kind === "end") throw new Error(`the input ended after ${events.length} events`);
    events.push(...batch.events);
  }
  return events;
}
