import { describe, expect, it } from "@jest/globals";
import type { Json } from "@millrace/dataflow";
import { VirtualTime } from "@millrace/dataflow/testing";
import { DEFAULT_KAFKA_SOURCE_OPTIONS } from "@millrace/kafka-source";
import { KafkaPartition } from "../../src/source/kafka-partition.ts";
import { TopicReader } from "../../src/source/topic-reader.ts";
import { MemoryKafka } from "../support/memory-kafka.ts";
import { partContext } from "../support/part-context.ts";
import { take } from "../support/take.ts";

const SETTINGS = { ...DEFAULT_KAFKA_SOURCE_OPTIONS, group: false };

describe("records that were gone before they were read", () => {
  it("are missing in windows that close before the next record shows the end of the gap, also after the task has moved", async () => {
    const { kafka, owner } = await bench();
    kafka.write("a", 1_000);
    kafka.write("b", 2_000);
    kafka.write("c", 3_000);
    const first = await owner();
    expect(await take(first, 3)).toEqual(["a", "b", "c"]);
    kafka.write("d", 4_000);
    kafka.write("e", 5_000);
    kafka.deleteUpTo(5);
    await jump(first);
    expect(await first.drained()).toBeDefined();
    expect(first.stats()).toMatchObject({ lostOffsets: 2 });
    const missing = { atLeast: 0, atMost: 2 };
    expect(windowsOf(first)).toEqual([true, missing, missing]);
    const position = first.snapshot();
    await first.close();

    const second = await owner(position);
    expect(await second.drained()).toBeDefined();
    expect(windowsOf(second)).toEqual([true, missing, missing]);
    // Of a producer whose clock is behind, and of one that gives no time: they show no end of the gap.
    kafka.write("late", 2_000);
    kafka.write("timeless", -1);
    expect(await take(second, 2)).toEqual(["late", "timeless"]);
    expect(windowsOf(second)).toEqual([true, missing, missing]);
    kafka.write("f", 6_500);
    expect(await take(second, 1)).toEqual(["f"]);
    expect(await second.drained()).toBeDefined();
    expect(windowsOf(second)).toEqual([true, missing, true]);
    await second.close();
  });

  it("with a topic that was deleted and made again leave windows unknown up to its first record, also after the task has moved", async () => {
    const { kafka, owner } = await bench();
    kafka.write("a", 1_000);
    kafka.write("b", 2_500);
    const first = await owner();
    expect(await take(first, 2)).toEqual(["a", "b"]);
    const before = first.snapshot();
    await first.close();
    kafka.write("unread", 4_000);
    kafka.makeAgain();

    const second = await owner(before);
    await jump(second);
    expect(await second.drained()).toBeDefined();
    expect(windowsOf(second)).toEqual(["unknown", "unknown", "unknown"]);
    const position = second.snapshot();
    await second.close();

    const third = await owner(position);
    expect(await third.drained()).toBeDefined();
    expect(windowsOf(third)).toEqual(["unknown", "unknown", "unknown"]);
    kafka.write("new", 6_500);
    expect(await take(third, 1)).toEqual(["new"]);
    expect(await third.drained()).toBeDefined();
    expect(windowsOf(third)).toEqual(["unknown", "unknown", true]);
    await third.close();
  });
});

interface Bench {
  readonly kafka: MemoryKafka;
  /** Opens the partition, as the task that continues at a position does. */
  readonly owner: (resume?: Json) => Promise<KafkaPartition>;
}

async function bench(): Promise<Bench> {
  const kafka = await MemoryKafka.start();
  const owner = async (resume?: Json): Promise<KafkaPartition> => {
    const context = partContext("test", new VirtualTime(10_000));
    const cluster = await kafka.open(context);
    const reader = new TopicReader(cluster, SETTINGS);
    const shared = { cluster, reader, progress: undefined, release: () => cluster.close() };
    return KafkaPartition.open("clicks-0", 0, shared, resume, SETTINGS, (lines) => lines, context);
  };
  return { kafka, owner };
}

/** A batch without an event: the position has moved. */
async function jump(partition: KafkaPartition): Promise<void> {
  expect(await partition.nextBatch()).toMatchObject({ kind: "batch", events: [] });
}

/** Whether each of three windows is complete. */
function windowsOf(partition: KafkaPartition): readonly unknown[] {
  return [
    [0, 3_000],
    [3_000, 6_000],
    [7_000, 10_000],
  ].map(([open = 0, close = 0]) => partition.completeness(open, close));
}
