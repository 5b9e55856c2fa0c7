import { describe, expect, test } from "@jest/globals";
import { TumblingWindower } from "@millrace/windowing";
import { aggregatorConfig } from "../src/config.ts";

describe("aggregatorConfig", () => {
  test("counts mobile events in 5 s windows unless told otherwise", () => {
    expect(aggregatorConfig([], {})).toEqual({
      flow: "mobile-counts",
      windower: new TumblingWindower({ lengthMs: 5_000 }),
      meta: false,
      exitWhenIdleMs: Infinity,
      redis: { connection: { connectTimeoutMs: 5_000 }, channel: "device_events" },
      log: { level: "info", format: "auto" },
    });
  });

  test("takes everything from the environment", () => {
    const env = {
      MILLRACE_FLOW: "echo",
      MILLRACE_WINDOW: "tumbling:1m",
      MILLRACE_META: "true",
      MILLRACE_EXIT_WHEN_IDLE: "0.5",
      MILLRACE_LOG_LEVEL: "warn",
      MILLRACE_LOG_FORMAT: "json",
      REDIS_CHANNEL_NAME: "clicks",
    };
    expect(aggregatorConfig([], env)).toMatchObject({
      flow: "echo",
      windower: new TumblingWindower({ lengthMs: 60_000 }),
      meta: true,
      exitWhenIdleMs: 500,
      redis: { channel: "clicks" },
      log: { level: "warn", format: "json" },
    });
  });

  test("flags win", () => {
    const env = { MILLRACE_FLOW: "echo", REDIS_CHANNEL_NAME: "clicks" };
    expect(aggregatorConfig(["--flow=mobile-counts", "--channel", "other"], env)).toMatchObject({
      flow: "mobile-counts",
      redis: { channel: "other" },
    });
  });

  test.each([
    [["--flow=sum"], {}, '--flow: "sum" is none of mobile-counts, echo'],
    [["--window", "5s"], {}, '--window: "5s" is not a window'],
    [[], { MILLRACE_WINDOW: "tumbling:5" }, 'MILLRACE_WINDOW: "5" is not a duration'],
    [["--exit-when-idle=0"], {}, '--exit-when-idle: "0" is not a number above 0'],
    [[], { MILLRACE_EXIT_WHEN_IDLE: "soon" }, "MILLRACE_EXIT_WHEN_IDLE"],
    [["--log-level", "loud"], {}, "--log-level"],
  ])("refuses %j with %j", (args, env, message) => {
    expect(() => aggregatorConfig(args, env)).toThrow(message);
  });
});
