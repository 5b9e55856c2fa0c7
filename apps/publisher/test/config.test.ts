import { join, resolve } from "node:path";
import { describe, expect, test } from "@jest/globals";
import { publishConfig } from "@millrace/command/testing";
import { PUBLISHER } from "../src/publisher.ts";

const publisherConfig = (args: readonly string[], env: Readonly<Record<string, string>>) =>
  publishConfig(PUBLISHER, args, env);
const ROOT = resolve(import.meta.dirname, "../../..");

describe("publisherConfig", () => {
  test("publishes the project's own events as fast as it can", () => {
    expect(publisherConfig([], {})).toEqual({
      file: join(ROOT, "data/events.jsonl"),
      rate: undefined,
      loop: false,
      generate: undefined,
      waitForSubscriberMs: 10_000,
      progressEveryMs: undefined,
      drainTimeoutMs: 5_000,
      transport: {
        transport: "pubsub",
        channel: "device_events",
        partitions: 1,
        names: ["device_events"],
        partitionBy: "os_timezone",
      },
      delivery: { framing: undefined, maxStreamLength: undefined, whenFull: "wait", relayout: false },
      redis: { connectTimeoutMs: 5_000 },
      observe: { http: undefined, trace: false },
      log: { level: "info", format: "auto" },
    });
  });

  test("with Kafka needs no Redis, and sends each event as a record", () => {
    const config = publisherConfig(["--transport=kafka", "--brokers=a:1"], {});
    expect(config).toMatchObject({
      redis: undefined,
      kafka: { brokers: ["a:1"], connectTimeoutMs: 5_000 },
      transport: { transport: "kafka", channel: "device_events", names: [] },
      delivery: { framing: undefined },
    });
    for (const option of ["--batch=10", "--linger=1s", "--producer=shop", "--no-header", "--relayout"]) {
      expect(() => publisherConfig(["--transport=kafka", option], {})).toThrow(
        "with Kafka each event is a record",
      );
    }
    expect(() => publisherConfig(["--transport=kafka", "--wait-for-subscriber=1s"], {})).toThrow(
      "a topic keeps events until they are read",
    );
  });

  test("reads every option from the environment", () => {
    const env = {
      EVENTS_JSONL_FILE: import.meta.filename,
      MILLRACE_RATE: "2.5",
      MILLRACE_LOOP: "yes",
      MILLRACE_WAIT_FOR_SUBSCRIBER: "0",
      MILLRACE_PROGRESS_EVERY: "250ms",
      MILLRACE_TRANSPORT: "stream",
      REDIS_CHANNEL_NAME: "clicks",
      MILLRACE_PARTITIONS: "2",
      MILLRACE_BATCH: "10",
      MILLRACE_LINGER: "0",
      MILLRACE_MAX_STREAM_LENGTH: "1000",
      MILLRACE_WHEN_FULL: "trim",
      MILLRACE_STREAM_FIELD: "payload",
    };
    expect(publisherConfig([], env).log.notes).toBeUndefined();
    expect(publisherConfig([], env)).toMatchObject({
      file: import.meta.filename,
      rate: 2.5,
      loop: true,
      waitForSubscriberMs: 0,
      streamField: "payload",
      progressEveryMs: 250,
      transport: { transport: "stream", names: ["{clicks:0}", "{clicks:1}"] },
      delivery: {
        framing: { batch: 10, lingerMs: 0 },
        maxStreamLength: 1_000,
        whenFull: "trim",
        relayout: false,
      },
    });
  });

  test.each([
    [[], undefined],
    [["--batch=10"], { batch: 10, lingerMs: 10 }],
    [["--linger=5ms"], { batch: 64, lingerMs: 5 }],
    [["--producer=shop"], { batch: 64, lingerMs: 10, lastingProducer: "shop" }],
    [["--transport=sharded"], { batch: 64, lingerMs: 10 }],
    [["--transport=stream"], { batch: 64, lingerMs: 10 }],
    [["--transport=stream", "--no-header"], undefined],
  ])("with %j frames are %j", (args, framing) => {
    expect(publisherConfig(args, {}).delivery.framing).toEqual(framing);
  });

  test.each([
    [["--generate=500"], 500, Infinity],
    [["--generate=max", "--events=1000"], undefined, 1_000],
  ])("%j generates events", (args, rate, events) => {
    expect(publisherConfig(args, {})).toMatchObject({ rate, generate: { events } });
  });

  test("a relative path starts at the directory in which the command was typed", () => {
    const env = { EVENTS_JSONL_FILE: "config.test.ts", INIT_CWD: import.meta.dirname };
    expect(publisherConfig([], env).file).toBe(import.meta.filename);
  });

  test("a stream below the minimal length needs the policy trim", () => {
    const args = ["--transport=stream", "--max-stream-length=50", "--when-full=trim"];
    const { delivery } = publisherConfig(args, {});
    expect(delivery).toMatchObject({ maxStreamLength: 50, whenFull: "trim" });
  });

  test.each([
    [["--max-stream-length=5000"], "MILLRACE_MAX_STREAM_LENGTH", "5000", "it applies to streams only"],
    [["--max-stream-length=5"], "MILLRACE_MAX_STREAM_LENGTH", "5", "it applies to streams only"],
    [["--when-full=fail"], "MILLRACE_WHEN_FULL", "fail", "it applies to streams only"],
    [["--stream-field=x"], "MILLRACE_STREAM_FIELD", "x", "it applies to streams only"],
  ])("%j without effect is an error, and with %s=%s a warning", (args, variable, value, why) => {
    expect(() => publisherConfig(args, {})).toThrow(`has no effect: ${why}, and --transport is pubsub`);
    expect(publisherConfig([], { [variable]: value }).log.notes).toEqual([
      `${variable} has no effect: ${why}, and --transport is pubsub`,
    ]);
  });

  test.each([
    [["--transport=stream", "--when-full=fail"], "--when-full has no effect: without --max-stream-length"],
    [
      ["--transport=stream", "--wait-for-subscriber=5s"],
      "--wait-for-subscriber has no effect: a stream keeps",
    ],
    [["--generate=5", "--loop"], "--loop has no effect: --generate does not end at the end of the file"],
  ])("%j is refused", (args, message) => {
    expect(() => publisherConfig(args, {})).toThrow(message);
  });

  test.each([
    [["--generate=5"], { MILLRACE_RATE: "7" }, "MILLRACE_RATE has no effect: --generate sets the rate"],
    [[], { MILLRACE_EVENTS: "7" }, "MILLRACE_EVENTS has no effect: it limits --generate, which is not given"],
  ])("with %j, %j gives a warning", (args, env, note) => {
    const { log, rate } = publisherConfig(args, env);
    expect(log.notes).toEqual([note]);
    expect(rate).toBe(args.length === 0 ? undefined : 5);
  });

  test("durations may have units", () => {
    const args = ["--wait-for-subscriber=1m", "--progress-every=250ms", "--linger=0.5s"];
    expect(publisherConfig(args, {})).toMatchObject({
      waitForSubscriberMs: 60_000,
      progressEveryMs: 250,
      delivery: { framing: { lingerMs: 500 } },
    });
    expect(() => publisherConfig(["--linger=2m"], {})).toThrow("is longer than 60000 ms");
  });

  test("- is standard input, which cannot be looped", () => {
    expect(publisherConfig(["--file", "-"], {}).file).toBe("-");
    expect(() => publisherConfig(["--file=-", "--loop"], {})).toThrow(
      /^--loop: standard input can be read only once/,
    );
  });

  test.each([
    [["--file=nowhere.jsonl"], {}, /^--file: there is no file .*nowhere\.jsonl/],
    [[], { EVENTS_JSONL_FILE: import.meta.dirname }, /^EVENTS_JSONL_FILE: .* is a directory/],
    [["--generate=0"], {}, /^--generate: "0" is not a number above 0/],
    [["--generate=5", "--rate=5"], {}, /^--rate has no effect: --generate sets the rate/],
    [["--generate=5", "--file=-"], {}, /^--generate: standard input can be read only once/],
    [["--events=5"], {}, /^--events has no effect: it limits --generate, which is not given/],
    [["--no-header", "--batch=5"], {}, /^--no-header: bare lines are sent one by one/],
    [["--no-header", "--producer=shop"], {}, /^--no-header: bare lines are sent one by one/],
    [["--producer=a b"], {}, /^--producer: "a b" is not a name/],
    [
      [],
      { MILLRACE_NO_HEADER: "yes", MILLRACE_LINGER: "5ms" },
      /^--no-header: bare lines are sent one by one/,
    ],
    [["--when-full=explode"], {}, /^--when-full: "explode" is none of wait, trim, fail/],
    [
      ["--transport=stream", "--max-stream-length=50"],
      {},
      /^--max-stream-length: .* minimum is 1000 entries/,
    ],
    [["--partitions=0"], {}, /^--partitions: "0" is not a whole number/],
    [["--rate=0"], {}, /^--rate: "0" is not a number above 0/],
    [[], { MILLRACE_RATE: "fast" }, /^MILLRACE_RATE: "fast" is not a number above 0/],
    [["--wait-for-subscriber=-1"], {}, /^--wait-for-subscriber: "-1" is not a duration: /],
  ])("refuses %j with %j", (args, env, message) => {
    expect(() => publisherConfig(args, env)).toThrow(message);
  });
});
