import { describe, expect, it } from "@jest/globals";
import { KafkaSource, describeKafka } from "@millrace/kafka-source";
import type { KafkaConnectionOptions, KafkaSourceOptions } from "@millrace/kafka-source";

describe("connection options", () => {
  it.each([
    ["a:9092", "Kafka at a:9092"],
    ["a:9092, b , [::1]:9093", "Kafka at a:9092, b, [::1]:9093"],
    [["a", "b:1"], "Kafka at a, b:1"],
  ])("name brokers: %j", (brokers, description) => {
    expect(describeKafka({ brokers })).toBe(description);
  });

  it.each(["", " , ", "a:b", "a:0", "a:70000", "kafka://a:9092", "user:secret@a:9092"])(
    "refuse what is no broker, without repeating it: %j",
    (brokers) => {
      const failure = failureOf(() => describeKafka({ brokers }));
      expect(failure).toMatchObject({ code: "MILLRACE_KAFKA_OPTIONS_INVALID" });
      expect(String(failure)).not.toContain("secret");
    },
  );

  it("say that a connection is TLS, and nothing of a user", () => {
    const options: KafkaConnectionOptions = {
      brokers: "a",
      tls: true,
      sasl: { mechanism: "plain", username: "ann", password: "secret" },
    };
    expect(describeKafka(options)).toBe("Kafka at a (TLS)");
  });
});

describe("options of a source", () => {
  it.each<[KafkaSourceOptions, string]>([
    [{ topic: "a b" }, "topic is"],
    [{ topic: ".." }, "topic is"],
    [{ topic: "a", maxFetchBytes: 0 }, "maxFetchBytes is 0"],
    [{ topic: "a", maxWaitMs: 0.5 }, "maxWaitMs is 0.5"],
    [{ topic: "a", group: "" }, "consumer group is empty"],
  ])("are checked: %j", (options, message) => {
    expect(String(failureOf(() => new KafkaSource({ brokers: "a" }, options)))).toContain(message);
  });

  it("declare by which field the partitions divide the events", () => {
    const source = new KafkaSource({ brokers: "a" }, { topic: "a", partitionedBy: "user" });
    expect(source.partitioning).toEqual({ kind: "by", field: "user" });
    expect(new KafkaSource({ brokers: "a" }, { topic: "a" }).partitioning).toEqual({ kind: "arbitrary" });
  });
});

function failureOf(act: () => unknown): unknown {
  try {
    act();
    return undefined;
  } catch (error) {
    return error;
  }
}
