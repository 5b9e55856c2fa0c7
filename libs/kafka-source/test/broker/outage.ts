import { describe, expect, it } from "@jest/globals";
import { KafkaSink, KafkaSource } from "@millrace/kafka-source";
import { joinGroup, partsOf, until } from "../support/group-worker.ts";
import { partContext } from "../support/part-context.ts";
import { take } from "../support/take.ts";
import type { Suite } from "./bench.ts";

export const outage: Suite = (bench) => {
  describe("a broker that is killed and starts again", () => {
    it("costs neither a row of the sink nor an event of the source, stores none twice, and a worker of a group joins again", async () => {
      const { kafka, other } = bench();
      const topic = await other.topic(2);
      const context = partContext();
      const sink = new KafkaSink({ brokers: kafka.broker }, { topic });
      const writer = await sink.buildPart("0", undefined, context);
      const source = new KafkaSource({ brokers: kafka.broker }, { topic });
      const readers = await Promise.all(
        [0, 1].map((n) => source.buildPart(`${topic}-${n}`, undefined, context)),
      );
      await writer.writeBatch(["before 0"]);
      await writer.writeBatch(["before 1"]);
      const worker = await joinGroup(kafka, topic, partsOf(topic, 2));
      expect(worker.tasks.running.size).toBe(2);
      const waiting = readers.map((reader) => take(reader, 3));
      await kafka.kill();
      const probe = readers[0]?.drained();
      const writing = (async () => {
        for (let i = 0; i < 4; i += 1) await writer.writeBatch([`after ${i}`]);
      })();
      await context.logger.logged("kafka-lost");
      expect(readers[0]?.stats()).toMatchObject({ connected: false });
      await worker.context.logger.logged("session-over");
      expect(worker.tasks.running.size).toBe(0);
      await kafka.restart();
      await writing;
      const events = (await Promise.all(waiting)).flat();
      expect(events.toSorted()).toEqual([
        ...["after 0", "after 1", "after 2", "after 3"],
        ...["before 0", "before 1"],
      ]);
      expect([...(await other.valuesOf(topic, 0)), ...(await other.valuesOf(topic, 1))]).toHaveLength(6);
      // The probe has waited for the connection.
      await probe;
      expect(await readers[0]?.drained()).toBeDefined();
      expect(readers[0]?.stats().disconnects).toBeGreaterThan(0);
      expect(readers[0]?.stats().reconnects).toBeGreaterThan(0);
      expect(readers[0]?.stats().connected).toBe(true);
      expect(context.logger.of("kafka-back").length).toBeGreaterThan(0);
      await until(() => worker.tasks.running.size === 2, "a worker with all partitions");
      await worker.membership.leave();
      expect(worker.tasks.failures).toEqual([]);
      await Promise.all([writer.close(), ...readers.map((reader) => reader.close())]);
    });
  });
};
