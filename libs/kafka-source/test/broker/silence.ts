import { describe, expect, it } from "@jest/globals";
import { VirtualTime } from "@millrace/dataflow/testing";
import { KafkaSink, KafkaSource } from "@millrace/kafka-source";
import { wait } from "../support/group-worker.ts";
import { partContext } from "../support/part-context.ts";
import { take } from "../support/take.ts";
import type { Suite } from "./bench.ts";

export const silence: Suite = (bench) => {
  describe("connections that fall silent, while new ones are answered", () => {
    it("are replaced: reads and writes go on, and the log has said that a write takes long", async () => {
      const { other, proxy } = bench();
      const topic = await other.topic();
      const time = new VirtualTime(Date.now());
      const [writes, reads] = [partContext("test", time), partContext("test", time)];
      const brokers = `${proxy.host}:${proxy.port}`;
      const source = new KafkaSource({ brokers }, { topic, group: false });
      const partition = await source.buildPart(`${topic}-0`, undefined, reads);
      const building = new KafkaSink({ brokers }, { topic }).buildPart("0", undefined, writes);
      const writer = await passing(time, building);
      await writer.writeBatch(["before"]);
      expect(await take(partition, 1)).toEqual(["before"]);

      proxy.freeze();
      const writing = writer.writeBatch(["after"]);
      const reading = take(partition, 1);
      await time.yield();
      time.set(time.now() + 10_000);
      expect(writes.logger.of("kafka-slow")).toHaveLength(1);
      // Longer than a write may take.
      time.set(time.now() + 40_000);
      await reads.logger.logged("kafka-lost");
      await passing(time, writing);
      expect(await passing(time, reading)).toEqual(["after"]);
      expect(await other.valuesOf(topic)).toEqual(["before", "after"]);
      expect(partition.stats()).toMatchObject({ connected: true, disconnects: 1, reconnects: 1 });
      expect(writes.logger.of("kafka-lost").at(-1)?.message).toBe(
        `No answer to a write to topic "${topic}" at ${brokers} within 40000 ms. Trying again.`,
      );
      await Promise.all([writer.close(), partition.close()]);
    });
  });
};

/** Time passes at its usual pace until it is done: there are pauses before new attempts. */
async function passing<T>(time: VirtualTime, work: Promise<T>): Promise<T> {
  const done = new AbortController();
  const end = (): void => {
    done.abort();
  };
  work.then(end, end);
  while (!done.signal.aborted) {
    time.set(time.now() + 20);
    await wait(20);
  }
  return work;
}
