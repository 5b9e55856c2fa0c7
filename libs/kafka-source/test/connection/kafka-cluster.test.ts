import { describe, expect, it } from "@jest/globals";
import { VirtualTime } from "@millrace/dataflow/testing";
import { KafkaUnreachableError } from "@millrace/kafka-source";
import { MemoryKafka } from "../support/memory-kafka.ts";
import { partContext } from "../support/part-context.ts";

describe("the brokers of a cluster", () => {
  it("are asked one after the other until one answers", async () => {
    const kafka = await MemoryKafka.start(["a", "b"]);
    const cluster = await kafka.open(partContext("test", new VirtualTime()));
    kafka.silent.add("a");
    kafka.requests.length = 0;
    expect(await cluster.refresh()).toMatchObject({ leaders: [0] });
    expect(kafka.requests).toEqual(["a metadata", "b metadata"]);
    kafka.silent.add("b");
    await expect(cluster.refresh()).rejects.toThrow("No answer to metadata at b");
    await cluster.close();
  });

  it("are not back because the worker stops", async () => {
    const kafka = await MemoryKafka.start();
    const context = partContext("test", new VirtualTime());
    const cluster = await kafka.open(context);
    const failing = cluster.retry(() => Promise.reject(new KafkaUnreachableError("gone.")));
    await context.logger.logged("kafka-lost");
    await cluster.close();
    await expect(failing).rejects.toMatchObject({ code: "MILLRACE_KAFKA_CLOSED" });
    expect(context.logger.of("kafka-back")).toEqual([]);
    expect([cluster.outages, cluster.recoveries]).toEqual([1, 0]);
  });

  it("that take long to answer are in the log before the request's own time limit", async () => {
    const kafka = await MemoryKafka.start();
    const time = new VirtualTime();
    const context = partContext("test", time);
    const cluster = await kafka.open(context);
    let answer: (text: string) => void = () => undefined;
    const waiting = cluster.reportIfSlow("a write", new Promise<string>((resolve) => (answer = resolve)));
    time.set(9_999);
    expect(context.logger.entries).toEqual([]);
    time.set(10_000);
    expect(context.logger.of("kafka-slow").map(({ message }) => message)).toEqual([
      "Kafka at a has not answered a write for 10000 ms. Waiting for the answer.",
    ]);
    answer("done");
    expect(await waiting).toBe("done");
    await cluster.close();
  });
});
