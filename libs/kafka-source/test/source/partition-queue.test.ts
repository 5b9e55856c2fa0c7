import { describe, expect, it } from "@jest/globals";
import { loadKafkaClient } from "../../src/connection/kafkats-client.ts";
import { PartitionQueue } from "../../src/source/partition-queue.ts";

describe("the queue of a partition", () => {
  it("keeps its own part of an answer in memory, and not what the other partitions had", async () => {
    const client = await loadKafkaClient();
    const record = { key: null, value: Buffer.alloc(1_000), headers: [] };
    const batch = client.encodeBatch([record], 0, { producerId: -1n, producerEpoch: -1 }, -1);
    const frame = Buffer.concat([Buffer.alloc(1_000_000), batch, Buffer.alloc(1_000_000)]);
    const records = frame.subarray(1_000_000, 1_000_000 + batch.length);
    const queue = new PartitionQueue(0, "topic", 0, 1_000_000);
    queue.take({ partition: 0, error: 0, highWatermark: 1, logStart: 0, aborted: [], records });
    const arrived = queue.shift();
    if (arrived?.kind !== "records") throw new Error("no records arrived");
    expect(arrived.answer.records.equals(batch)).toBe(true);
    expect(arrived.answer.records.buffer.byteLength).toBeLessThanOrEqual(2 * batch.length);
  });
});
