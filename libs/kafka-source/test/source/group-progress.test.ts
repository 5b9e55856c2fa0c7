import { describe, expect, it } from "@jest/globals";
import { VirtualTime } from "@millrace/dataflow/testing";
import { KafkaRefusedError } from "@millrace/kafka-source";
import { GroupProgress } from "../../src/source/group-progress.ts";
import { MemoryKafka } from "../support/memory-kafka.ts";
import { partContext } from "../support/part-context.ts";

describe("the progress in a consumer group", () => {
  it("reaches the last commit of each partition after an update was refused", async () => {
    const kafka = await MemoryKafka.start();
    const time = new VirtualTime();
    const context = partContext("test", time);
    const cluster = await kafka.open(context);
    const progress = new GroupProgress(cluster, "shown", 1_000, context);
    const updates: object[] = [];
    let refuse: () => void = () => undefined;
    kafka.onCommit = (offsets) => {
      updates.push(Object.fromEntries(offsets));
      if (updates.length > 1) return Promise.resolve();
      return new Promise((_, reject) => {
        refuse = () => {
          reject(new KafkaRefusedError("no permission", 30));
        };
      });
    };
    progress.committed(0, 10);
    progress.committed(1, 20);
    time.set(time.now());
    await time.yield();
    progress.committed(1, 21);
    refuse();
    await time.yield();
    expect(context.logger.of("progress-failed")).toHaveLength(1);
    time.set(999);
    await time.yield();
    expect(updates).toHaveLength(1);
    time.set(1_000);
    await time.yield();
    expect(updates).toEqual([
      { 0: 10, 1: 20 },
      { 0: 10, 1: 21 },
    ]);
    await progress.close();
    await cluster.close();
    expect(updates).toHaveLength(2);
  });
});
