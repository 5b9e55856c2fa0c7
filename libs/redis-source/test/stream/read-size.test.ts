import { afterAll, afterEach, beforeAll, expect, it } from "@jest/globals";
import type { StreamPartition } from "@millrace/redis-source";
import { StreamBench, lines } from "../support/stream-bench.ts";

let bench: StreamBench;

beforeAll(async () => {
  bench = await StreamBench.start();
});

afterEach(() => bench.tidy());

afterAll(() => bench.stop());

/** Entries of each of the next batches. */
async function batchSizes(partition: StreamPartition, count: number): Promise<readonly number[]> {
  const sizes: number[] = [];
  while (sizes.length < count) {
    const batch = await partition.nextBatch();
    if (batch.kind === "batch") sizes.push(batch.events.length);
  }
  return sizes;
}

it("asks for at most four times as many entries as before, so that large ones after small ones are noticed", async () => {
  await bench.add("growing", lines(0, 3_000));
  const partition = await bench.read("growing");
  expect(await batchSizes(partition, 4)).toEqual([64, 256, 1_024, 1_024]);
});

it("asks for as many as fit into the bytes of a batch, at least one", async () => {
  const large = (count: number, size = 10_000): string[] =>
    Array.from({ length: count }, () => "x".repeat(size));
  await bench.add("shrinking", [...lines(0, 64), ...large(40)]);
  const partition = await bench.read("shrinking", { maxBatchBytes: 40_000 });
  expect(await batchSizes(partition, 2)).toEqual([64, 40]);
  await bench.add("shrinking", [...large(8), ...large(4, 100_000), ...large(2)]);
  expect(await batchSizes(partition, 5)).toEqual([4, 4, 4, 1, 1]);
});
