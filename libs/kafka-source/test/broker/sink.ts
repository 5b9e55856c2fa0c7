import { describe, expect, it } from "@jest/globals";
import { KafkaResultSink, KafkaSink } from "@millrace/kafka-source";
import type { WindowResult } from "@millrace/windowing";
import { partContext } from "../support/part-context.ts";
import type { Suite } from "./bench.ts";

export const sink: Suite = (bench) => {
  describe("KafkaSink", () => {
    it("puts each key where Java's own producer puts it", async () => {
      const { kafka, other } = bench();
      const [ours, javas] = [await other.topic(8), await other.topic(8)];
      // Of all lengths up to the word of the hash, and with characters of several bytes.
      const keys = ["1", "22", "333", "4444", "55555", "schlüssel", "鍵", ...letters(20)];
      await kafka.run({
        main: "org.apache.kafka.tools.ConsoleProducer",
        args: [
          ...["--bootstrap-server", kafka.broker, "--topic", javas],
          ...["--reader-property", "parse.key=true"],
        ],
        input: keys.map((key) => `${key}\tvalue\n`).join(""),
      });
      const sink = new KafkaSink<string>({ brokers: kafka.broker }, { topic: ours, keyOf: (row) => row });
      const part = await sink.buildPart("0", undefined, partContext());
      await part.writeBatch(keys);
      await part.close();
      const partitionsOf = async (topic: string): Promise<readonly (readonly string[])[]> =>
        Promise.all(
          Array.from({ length: 8 }, async (_, partition) =>
            (await other.recordsOf(topic, partition)).map(({ key }) => String(key)),
          ),
        );
      expect(await partitionsOf(ours)).toEqual(await partitionsOf(javas));
    });

    it("writes rows larger than a batch, and counts what Kafka accepted", async () => {
      const { kafka, other } = bench();
      const topic = await other.topic();
      const seen: number[] = [];
      const sink = new KafkaSink(
        { brokers: kafka.broker },
        { topic, maxBatchBytes: 1_000, onProgress: ({ published }) => seen.push(published) },
      );
      const part = await sink.buildPart("0", undefined, partContext());
      const rows = ["small", "x".repeat(5_000), "y", "z".repeat(900), "last"];
      await part.writeBatch(rows);
      await part.close();
      expect(await other.valuesOf(topic)).toEqual(rows);
      expect(sink.stats()).toMatchObject({ published: 5, unsent: 0, resent: 0 });
      expect(seen.at(-1)).toBe(5);
    });

    it("fails with the remedy where there is no such topic", async () => {
      const { kafka } = bench();
      const sink = new KafkaSink({ brokers: kafka.broker }, { topic: "nowhere" });
      await expect(sink.buildPart("0", undefined, partContext())).rejects.toMatchObject({
        code: "MILLRACE_KAFKA_TOPIC_MISSING",
        message: expect.stringContaining("kafka-topics --create"),
      });
    });

    it("fails for a row that is larger than the topic allows", async () => {
      const { kafka, other } = bench();
      const topic = await other.topic(1, { "max.message.bytes": "1000" });
      const part = await new KafkaSink({ brokers: kafka.broker }, { topic }).buildPart(
        "0",
        undefined,
        partContext(),
      );
      await expect(part.writeBatch(["x".repeat(2_000)])).rejects.toMatchObject({
        code: "MILLRACE_KAFKA_REFUSED",
        kafkaCode: 10,
      });
      await part.close();
    });
  });

  describe("KafkaResultSink", () => {
    it("writes results with window, key and revision in headers, as Java's consumer shows", async () => {
      const { kafka, other } = bench();
      const topic = await other.topic();
      const sink = new KafkaResultSink<{ clicks: number }>({ brokers: kafka.broker }, { topic });
      const result: WindowResult<{ clicks: number }> = {
        key: "user-1",
        value: { clicks: 3 },
        window: { id: 7, open: 1_000, close: 2_000, mergedIds: [] },
        revision: 1,
        cause: "late",
        complete: true,
      };
      const part = await sink.buildPart("0", undefined, partContext());
      await part.writeBatch([result]);
      await part.close();
      const shown = await kafka.run({
        main: "org.apache.kafka.tools.consumer.ConsoleConsumer",
        args: [
          ...["--bootstrap-server", kafka.broker, "--topic", topic, "--from-beginning"],
          ...["--max-messages", "1", "--formatter-property", "print.key=true"],
          ...["--formatter-property", "print.headers=true"],
        ],
      });
      expect(shown.trim()).toBe(
        'window-id:7,window-open:1000,window-close:2000,key:user-1,revision:1\tuser-1\t{"clicks":3}',
      );
    });
  });
};

function letters(count: number): readonly string[] {
  return Array.from({ length: count }, (_, i) => "abcdefghijklmnopqrstuvwxyz".slice(0, i + 1));
}
