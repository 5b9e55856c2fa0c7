import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "@jest/globals";
import { CommandLine, UsageError, inputOptions, kafkaOptions, transportOptions } from "@millrace/cli";
import type { InputSettings, KafkaSettings, TransportSettings } from "@millrace/cli";

interface Settings {
  readonly input: InputSettings;
  readonly kafka: KafkaSettings | undefined;
  readonly notes: readonly string[];
}

const folder = mkdtempSync(join(tmpdir(), "millrace-test-"));
const ca = join(folder, "ca.pem");
writeFileSync(ca, "a certificate");

afterAll(() => {
  rmSync(folder, { recursive: true });
});

function settings(args: readonly string[], env: Readonly<Record<string, string>> = {}): Settings {
  const cli = new CommandLine("test", "Tests.");
  const input = inputOptions(cli, { channel: "orders", partitionBy: "shop" });
  const kafka = kafkaOptions(cli, { transport: input, connectTimeoutMs: () => 5_000 });
  cli.parse(args, env);
  return { input: input(), kafka: kafka(), notes: cli.notes };
}

function written(args: readonly string[]): TransportSettings {
  const cli = new CommandLine("test", "Tests.");
  const transport = transportOptions(cli, { channel: "orders", partitionBy: "shop" });
  cli.parse(args, {});
  return transport();
}

describe("with --transport=kafka", () => {
  test("the channel is a topic, whose partitions are its own", () => {
    const { input, kafka } = settings(["--transport=kafka", "--channel=clicks"]);
    expect(input).toMatchObject({ transport: "kafka", channels: ["clicks"], names: [], partitionBy: "shop" });
    expect(kafka).toEqual({ brokers: ["localhost:9092"], connectTimeoutMs: 5_000 });
    expect(written(["--transport=kafka", "--channel=clicks"])).toEqual({
      ...{ transport: "kafka", channel: "clicks", partitions: 1, names: [], partitionBy: "shop" },
    });
  });

  test("brokers, TLS and a user are named, the password only by a variable or a file", () => {
    const args = [
      "--transport=kafka",
      "--brokers=a:1,b:2",
      "--kafka-tls",
      `--kafka-ca=${ca}`,
      "--kafka-username=ann",
      "--kafka-sasl=scram-sha-512",
    ];
    expect(settings(args, { KAFKA_PASSWORD: "secret" }).kafka).toEqual({
      brokers: ["a:1", "b:2"],
      tls: { ca: "a certificate" },
      sasl: { mechanism: "scram-sha-512", username: "ann", password: "secret" },
      connectTimeoutMs: 5_000,
    });
  });

  test.each([
    [["--partitions=2"], "--partitions has no effect: with Kafka the partitions are the topic's"],
    [["--channel=a,b"], "--channel: with Kafka a flow reads one topic"],
    [["--channel-pattern=a*"], "it applies to Pub/Sub only"],
    [["--kafka-username=ann"], "--kafka-username: the password is missing; set KAFKA_PASSWORD"],
    [["--kafka-sasl=plain"], "--kafka-sasl has no effect: it needs --kafka-username"],
    [[`--kafka-ca=${import.meta.filename}`], "--kafka-ca has no effect: it needs --kafka-tls"],
    [["--kafka-ca=/nowhere"], "--kafka-ca: /nowhere cannot be read"],
    [["--brokers=kafka://a"], "--brokers: a broker is not given as host:port"],
    [["--kafka-sasl=gssapi"], '--kafka-sasl: "gssapi" is none of plain, scram-sha-256, scram-sha-512'],
  ])("refuse %j", (args, message) => {
    const given = ["--transport=kafka", ...args];
    expect(() => settings(given)).toThrow(UsageError);
    expect(() => settings(given)).toThrow(message);
  });
});

describe("with another transport", () => {
  test("options of Kafka are refused as flags, and a warning as variables", () => {
    expect(() => settings(["--brokers=a:1"])).toThrow(
      "--brokers has no effect: it applies to Kafka only, and --transport is pubsub",
    );
    const { kafka, notes } = settings([], { KAFKA_BROKERS: "a:1" });
    expect(kafka).toBeUndefined();
    expect(notes).toEqual([expect.stringContaining("KAFKA_BROKERS has no effect")]);
  });
});
