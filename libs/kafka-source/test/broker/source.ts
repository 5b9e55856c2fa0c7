import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as zlib from "node:zlib";
import { describe, expect, it } from "@jest/globals";
import type { Json } from "@millrace/dataflow";
import { encodeFrame } from "@millrace/redis-source";
import { KafkaSource, inspectTopic } from "@millrace/kafka-source";
import type { KafkaSourceOptions } from "@millrace/kafka-source";
import { readPosition, writePosition } from "../../src/source/position.ts";
import { partContext } from "../support/part-context.ts";
import { take, takeAll } from "../support/take.ts";
import type { Suite } from "./bench.ts";

export const source: Suite = (bench) => {
  const sourceOf = (options: KafkaSourceOptions): KafkaSource =>
    new KafkaSource({ brokers: bench().kafka.broker }, options);

  describe("a record", () => {
    it("written by Java's own console producer comes with its key, its headers and its time", async () => {
      const { kafka, other } = bench();
      const topic = await other.topic();
      const before = Date.now();
      await kafka.run({
        main: "org.apache.kafka.tools.ConsoleProducer",
        args: [
          ...["--bootstrap-server", kafka.broker, "--topic", topic],
          ...["--reader-property", "parse.key=true", "--reader-property", "parse.headers=true"],
        ],
        input: 'place:north,hop:2\tuser-1\t{"click_id":1}\nplace:süd\tuser-2\t{"click_id":2}\n',
      });
      const context = partContext();
      const partition = await sourceOf({ topic }).withOrigin().buildPart(`${topic}-0`, undefined, context);
      const batch = await partition.nextBatch();
      expect(batch).toMatchObject({
        kind: "batch",
        events: [
          {
            ...{ topic, partition: 0, offset: 0, line: '{"click_id":1}', key: "user-1" },
            headers: { place: "north", hop: "2" },
          },
          { ...{ offset: 1, line: '{"click_id":2}', key: "user-2" }, headers: { place: "süd" } },
        ],
      });
      const times = batch.kind === "batch" ? (batch.times ?? []) : [];
      expect(times).toHaveLength(2);
      for (const time of times) {
        expect(time).toBeGreaterThanOrEqual(before);
        expect(time).toBeLessThanOrEqual(Date.now());
      }
      await partition.close();
    });

    it("may hold several bare lines, or a frame, whose repetition is dropped", async () => {
      const { other } = bench();
      const topic = await other.topic();
      const frame = encodeFrame({ producer: "p", first: 0, publishedAtMs: Date.now(), lines: ["c", "d"] });
      const further = encodeFrame({ producer: "p", first: 4, publishedAtMs: Date.now(), lines: ["g"] });
      await other.write(topic, ["a\nb\n", Buffer.from(frame), Buffer.from(frame), Buffer.from(further)]);
      const partition = await sourceOf({ topic }).buildPart(`${topic}-0`, undefined, partContext());
      expect(await takeAll(partition)).toEqual(["a", "b", "c", "d", "g"]);
      expect(partition.stats()).toMatchObject({ read: 5, records: 4, duplicates: 2, lost: 2 });
      await partition.close();
    });

    it("without a value, or with one that cannot be read, goes to the dead letter", async () => {
      const { other } = bench();
      const topic = await other.topic();
      const producer = other.client.producer();
      await producer.send(topic, [
        { key: "user-1", value: null },
        { value: Buffer.from("#millrace/1 what?") },
        { value: Buffer.from("fine") },
      ]);
      await producer.disconnect();
      const context = partContext();
      const partition = await sourceOf({ topic }).buildPart(`${topic}-0`, undefined, context);
      expect(await takeAll(partition)).toEqual(["fine"]);
      expect(context.rejected.map(({ code, payload }) => [code, Buffer.from(payload).toString()])).toEqual([
        ["no-value", "user-1"],
        ["bad-header", "#millrace/1 what?"],
      ]);
      expect(partition.stats()).toMatchObject({ malformed: 2 });
      await partition.close();
    });

    it("of a topic with the broker's time has that time", async () => {
      const { other } = bench();
      const topic = await other.topic(1, { "message.timestamp.type": "LogAppendTime" });
      const producer = other.client.producer();
      await producer.send(topic, [{ value: Buffer.from("old"), timestamp: new Date(1) }]);
      await producer.disconnect();
      const partition = await sourceOf({ topic }).buildPart(`${topic}-0`, undefined, partContext());
      const batch = await partition.nextBatch();
      expect(batch.kind === "batch" && batch.times?.[0]).toBeGreaterThan(1_700_000_000_000);
      await partition.close();
    });

    it("is read as Java's own producer compresses it, or refused with what to install", async () => {
      const { kafka, other } = bench();
      const codecs = ["gzip", "snappy", "lz4", "zstd"];
      const values = ["a", "b".repeat(100_000), "c"];
      const write = async (codec: string): Promise<string> => {
        const topic = await other.topic();
        const to = ["--bootstrap-server", kafka.broker, "--topic", topic, "--compression-codec", codec];
        const input = `${values.join("\n")}\n`;
        await kafka.run({ main: "org.apache.kafka.tools.ConsoleProducer", args: to, input });
        return topic;
      };
      const read = async (topic: string): Promise<unknown> => {
        const partition = await sourceOf({ topic }).buildPart(`${topic}-0`, undefined, partContext());
        try {
          return await takeAll(partition);
        } finally {
          await partition.close();
        }
      };
      const [gzip = "", snappy = "", lz4 = "", zstd = ""] = await Promise.all(codecs.map(write));
      for (const topic of [gzip, snappy, lz4]) expect(await read(topic)).toEqual(values);
      if ("zstdDecompressSync" in zlib) expect(await read(zstd)).toEqual(values);
      else {
        await expect(read(zstd)).rejects.toMatchObject({
          code: "MILLRACE_KAFKA_RECORDS_UNREADABLE",
          message: expect.stringMatching(/compressed with zstd.*Node 22\.15.*npm install zstd-napi/),
        });
      }
    });
  });

  it("lags by what is after its position, as inspectTopic shows it", async () => {
    const { kafka, other } = bench();
    const topic = await other.topic(2);
    await other.write(topic, ["a", "b", "c"]);
    const partition = await sourceOf({ topic }).buildPart(`${topic}-0`, undefined, partContext());
    expect(await takeAll(partition)).toEqual(["a", "b", "c"]);
    const positions = new Map([
      [`${topic}-0`, partition.snapshot()],
      [`${topic}-1`, { topicId: "an earlier topic", offset: 0, losses: [], ledger: null }],
    ]);
    await partition.close();
    await other.write(topic, ["d", "e"]);
    const { lags } = await inspectTopic({ brokers: kafka.broker }, { topic, positions, groups: [] });
    expect([...lags]).toEqual([[`${topic}-0`, 2]]);
  });

  it("of a topic that got more partitions is read on, with a warning, since keys are divided anew", async () => {
    const { other } = bench();
    const topic = await other.topic(2);
    const first = await sourceOf({ topic }).buildPart(`${topic}-0`, undefined, partContext());
    const before = writePosition({ ...readPosition(first.snapshot()), partitions: 1 });
    await first.close();
    const context = partContext();
    const second = await sourceOf({ topic }).buildPart(`${topic}-0`, before, context);
    expect(context.logger.of("topic-redivided")).toMatchObject([
      { level: "warn", fields: { part: `${topic}-0`, before: 1, now: 2 } },
    ]);
    const third = partContext();
    await (await sourceOf({ topic }).buildPart(`${topic}-0`, second.snapshot(), third)).close();
    expect(third.logger.of("topic-redivided")).toEqual([]);
    await second.close();
  });

  describe("transactions", () => {
    it.each([150_000, 400_000, 8_000_000])(
      "that were aborted are not delivered, also if they span answers of %i bytes",
      async (maxFetchBytes) => {
        const { other } = bench();
        const topic = await other.topic();
        const producer = other.client.producer({ transactionalId: `tx-${topic}`, lingerMs: 0 });
        const expected: string[] = [];
        for (const [round, aborts] of [true, false, true, false].entries()) {
          const transaction = producer.transaction(async (tx) => {
            for (let i = 0; i < 5; i += 1) {
              const name = `${aborts ? "aborted" : "committed"} ${round}.${i}`;
              await tx.send(topic, { value: Buffer.from(name.padEnd(200_000)) });
              if (!aborts) expected.push(name);
              // A message of another producer, within the transaction's records.
              if (i === 2) {
                await other.write(topic, [`plain ${round}`]);
                expected.push(`plain ${round}`);
              }
            }
            if (aborts) throw new Error("abort");
          });
          await (aborts ? expect(transaction).rejects.toThrow("abort") : transaction);
        }
        await producer.disconnect();
        const partition = await sourceOf({ topic, maxFetchBytes }).buildPart(
          `${topic}-0`,
          undefined,
          partContext(),
        );
        const names = (await takeAll(partition)).map((line) => String(line).trimEnd());
        expect(names).toEqual(expected);
        // Markers and aborted records are gaps in the offsets, not losses.
        expect(partition.stats()).toMatchObject({ lost: 0, entriesBehind: 0 });
        expect(partition.completeness(0, Date.now() - 60_000)).toBe(true);
        await partition.close();
      },
    );

    it("that are open leave the partition not drained, until they end", async () => {
      const { other } = bench();
      const topic = await other.topic();
      await other.write(topic, ["before"]);
      const partition = await sourceOf({ topic }).buildPart(`${topic}-0`, undefined, partContext());
      expect(await take(partition, 1)).toEqual(["before"]);
      expect(await partition.drained()).toBeDefined();
      const producer = other.client.producer({ transactionalId: `tx-${topic}`, lingerMs: 0 });
      const transaction = producer.transaction(async (tx) => {
        await tx.send(topic, { value: Buffer.from("of the transaction") });
        expect(await partition.drained()).toBeUndefined();
        throw new Error("no more");
      });
      await expect(transaction).rejects.toThrow("no more");
      await producer.disconnect();
      // Nothing is delivered, and yet the position has to move past the marker.
      expect(await takeAll(partition)).toEqual([]);
      await partition.close();
    });
  });

  describe("a position", () => {
    it("within a batch of records continues at the next record, and batches are bounded", async () => {
      const { other } = bench();
      const topic = await other.topic();
      const values = Array.from({ length: 25 }, (_, i) => `${i}`);
      await other.write(topic, values);
      const source = sourceOf({ topic, maxBatchEvents: 10 });
      const first = await source.buildPart(`${topic}-0`, undefined, partContext());
      const batch = await first.nextBatch();
      expect(batch).toMatchObject({ kind: "batch", events: values.slice(0, 10) });
      const position = first.snapshot();
      await first.close();
      expect(source.positions.unite(source.positions.divide(position))).toEqual(position);
      const second = await source.buildPart(`${topic}-0`, position, partContext());
      expect(await take(second, 15)).toEqual(values.slice(10));
      await second.close();
    });

    it("is the end of the topic for a flow that wants only what comes", async () => {
      const { other } = bench();
      const topic = await other.topic();
      await other.write(topic, ["old"]);
      const partition = await sourceOf({ topic, start: "latest" }).buildPart(
        `${topic}-0`,
        undefined,
        partContext(),
      );
      await other.write(topic, ["new"]);
      expect(await take(partition, 1)).toEqual(["new"]);
      await partition.close();
    });

    it("is a time or an offset at which a task begins, and from which on it reads all", async () => {
      const { kafka, other } = bench();
      const topic = await other.topic();
      const times: number[] = [];
      for (const line of ["0", "1", "2", "3"]) {
        const after = Date.now();
        while (Date.now() <= after + 1);
        times.push(Date.now());
        await other.write(topic, [line]);
      }
      const start = new Date(times[2] ?? 0).toISOString();
      const opened = (
        options: Omit<KafkaSourceOptions, "topic">,
        resume?: Json,
      ): ReturnType<KafkaSource["buildPart"]> =>
        sourceOf({ topic, ...options }).buildPart(`${topic}-0`, resume, partContext());
      const atTime = await opened({ start });
      expect(await takeAll(atTime)).toEqual(["2", "3"]);
      expect(atTime.wholeFrom()).toBe(times[2]);
      expect(atTime.stats()).toMatchObject({ lost: 0, lostOffsets: 0 });
      // A task that was reset has the start in place of a position, whatever the source's own is.
      const reset = await opened({ start: "latest" }, { start: "1" });
      expect(reset.wholeFrom()).toBe(Infinity);
      const before = reset.snapshot();
      expect(await takeAll(reset)).toEqual(["1", "2", "3"]);
      expect(reset.wholeFrom()).toBeGreaterThan(times[1] ?? Infinity);
      expect(reset.wholeFrom()).toBeLessThanOrEqual((times[2] ?? 0) + 1);
      const again = await opened({}, before);
      await takeAll(again);
      expect(again.wholeFrom()).toBe(reset.wholeFrom());
      const future = await opened({ start: new Date(Date.now() + 60_000).toISOString() });
      expect(await takeAll(future)).toEqual([]);
      const all = await opened({ start: new Date((times[0] ?? 0) - 1).toISOString() });
      expect([await takeAll(all), all.wholeFrom()]).toEqual([["0", "1", "2", "3"], -Infinity]);

      await deleteUpTo(kafka, topic, 3);
      const context = partContext();
      const overtaken = await sourceOf({ topic, start }).buildPart(`${topic}-0`, undefined, context);
      expect(await takeAll(overtaken)).toEqual(["3"]);
      expect(overtaken.wholeFrom()).toBeGreaterThan(times[3] ?? Infinity);
      expect(overtaken.stats()).toMatchObject({ uncertainSince: times[2] });
      expect(context.logger.of("start-trimmed")).toMatchObject([{ fields: { offsets: 3 } }]);
      const lost = await opened({}, { start: "1" });
      expect(await takeAll(lost)).toEqual(["3"]);
      expect(lost.stats()).toMatchObject({ lost: 2, lostOffsets: 2 });
      await Promise.all([atTime, reset, again, future, all, overtaken, lost].map((each) => each.close()));
    });

    it("that retention has overtaken counts what was deleted as lost", async () => {
      const { kafka, other } = bench();
      const topic = await other.topic();
      await other.write(topic, ["0", "1", "2", "3", "4"]);
      const source = sourceOf({ topic, maxBatchEvents: 1 });
      const first = await source.buildPart(`${topic}-0`, undefined, partContext());
      expect(await take(first, 1)).toEqual(["0"]);
      const position = first.snapshot();
      await first.close();
      await deleteUpTo(kafka, topic, 5);
      const missing = { atLeast: 0, atMost: 4 };
      const context = partContext();
      const second = await source.buildPart(`${topic}-0`, position, context);
      expect(await takeAll(second)).toEqual([]);
      expect(second.stats()).toMatchObject({ lost: 4, lostOffsets: 4 });
      expect(context.logger.of("deleted-before-read")).toHaveLength(1);
      expect(second.completeness(0, Date.now() + 1)).toEqual(missing);
      // The loss is part of the position: windows that close after a restart are incomplete, too.
      const third = await source.buildPart(`${topic}-0`, second.snapshot(), partContext());
      expect(third.completeness(0, Date.now() + 1)).toEqual(missing);
      await other.write(topic, ["5"]);
      expect(await takeAll(third)).toEqual(["5"]);
      expect(third.completeness(0, Date.now() + 1)).toEqual(missing);
      await Promise.all([second.close(), third.close()]);
    });

    it("of a topic that was deleted and made again is that of another log", async () => {
      const { other } = bench();
      const topic = await other.topic();
      await other.write(topic, ["0", "1", "2"]);
      const source = sourceOf({ topic });
      const first = await source.buildPart(`${topic}-0`, undefined, partContext());
      await take(first, 3);
      const position = first.snapshot();
      await first.close();
      const admin = other.client.admin();
      await admin.deleteTopics([topic]);
      await admin.createTopics([{ name: topic, numPartitions: 1 }]);
      await other.write(topic, ["new 0", "new 1", "new 2", "new 3"]);
      const context = partContext();
      const second = await source.buildPart(`${topic}-0`, position, context);
      expect(await take(second, 4)).toEqual(["new 0", "new 1", "new 2", "new 3"]);
      expect(context.logger.of("topic-reset")).toHaveLength(1);
      expect(second.completeness(0, Date.now() + 1)).toBe("unknown");
      const third = await source.buildPart(`${topic}-0`, second.snapshot(), partContext());
      expect(await third.drained()).toBeDefined();
      expect(third.completeness(0, Date.now() - 60_000)).toBe("unknown");
      await Promise.all([second.close(), third.close()]);
    });
  });

  describe("a flow that stops taking", () => {
    it("bounds what waits, and does not stop the other partitions", async () => {
      const { other } = bench();
      const topic = await other.topic(2);
      const large = Array.from({ length: 8 }, (_, i) => `${i}`.padEnd(30_000));
      for (const value of large) await other.write(topic, [value], 0);
      const source = sourceOf({ topic, maxFetchBytes: 50_000 });
      const context = partContext();
      const slow = await source.buildPart(`${topic}-0`, undefined, context);
      const quick = await source.buildPart(`${topic}-1`, undefined, context);
      for (let i = 0; i < 5; i += 1) {
        await other.write(topic, [`event ${i}`], 1);
        expect(await take(quick, 1)).toEqual([`event ${i}`]);
      }
      expect(slow.stats().queued).toBeLessThan(8);
      expect(await take(slow, 8)).toEqual(large);
      await Promise.all([slow.close(), quick.close()]);
    });
  });

  describe("the consumer group", () => {
    it("shows what was committed, for Kafka's own tools", async () => {
      const { kafka, other } = bench();
      const topic = await other.topic();
      await other.write(topic, ["0", "1", "2"]);
      const source = sourceOf({ topic, maxBatchEvents: 2 });
      const partition = await source.buildPart(`${topic}-0`, undefined, partContext(`flow-${topic}`));
      await take(partition, 2);
      await partition.committed(partition.snapshot());
      await partition.close();
      const described = await kafka.run({
        main: "org.apache.kafka.tools.consumer.group.ConsumerGroupCommand",
        args: ["--bootstrap-server", kafka.broker, "--describe", "--group", `flow-${topic}`],
      });
      // Group, topic, partition, current offset, end of the log, lag.
      expect(described).toMatch(new RegExp(`flow-${topic} +${topic} +0 +2 +3 +1 `));
    });
  });
};

async function deleteUpTo(
  kafka: ReturnType<Parameters<Suite>[0]>["kafka"],
  topic: string,
  offset: number,
): Promise<void> {
  const dir = await mkdtemp(join(tmpdir(), "millrace-kafka-test."));
  const file = join(dir, "offsets.json");
  await writeFile(file, JSON.stringify({ version: 1, partitions: [{ topic, partition: 0, offset }] }));
  await kafka.run({
    main: "org.apache.kafka.tools.DeleteRecordsCommand",
    args: ["--bootstrap-server", kafka.broker, "--offset-json-file", file],
  });
  await rm(dir, { recursive: true });
}
