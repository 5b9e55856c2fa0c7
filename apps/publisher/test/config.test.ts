import { join, resolve } from "node:path";
import { describe, expect, test } from "@jest/globals";
import { publisherConfig } from "../src/config.ts";

const ROOT = resolve(import.meta.dirname, "../../..");

describe("publisherConfig", () => {
  test("publishes the project's own events as fast as it can", () => {
    expect(publisherConfig([], {})).toEqual({
      file: join(ROOT, "data/events.jsonl"),
      rate: undefined,
      loop: false,
      waitForSubscriberMs: 10_000,
      progressEveryMs: undefined,
      redis: { connection: { connectTimeoutMs: 5_000 }, channel: "device_events" },
      log: { level: "info", format: "auto" },
    });
  });

  test("takes everything from the environment", () => {
    const env = {
      EVENTS_JSONL_FILE: import.meta.filename,
      MILLRACE_RATE: "2.5",
      MILLRACE_LOOP: "yes",
      MILLRACE_WAIT_FOR_SUBSCRIBER: "0",
      MILLRACE_PROGRESS_EVERY: "0.25",
    };
    expect(publisherConfig([], env)).toMatchObject({
      file: import.meta.filename,
      rate: 2.5,
      loop: true,
      waitForSubscriberMs: 0,
      progressEveryMs: 250,
    });
  });

  test("a file is looked for where the command was typed", () => {
    const env = { EVENTS_JSONL_FILE: "config.test.ts", INIT_CWD: import.meta.dirname };
    expect(publisherConfig([], env).file).toBe(import.meta.filename);
  });

  test("- is standard input, which cannot be looped", () => {
    expect(publisherConfig(["--file", "-"], {}).file).toBe("-");
    expect(() => publisherConfig(["--file=-", "--loop"], {})).toThrow(
      /^--loop: standard input can be read only once/,
    );
  });

  test("standard input does not come through Nx, and waiting for it is refused", () => {
    const env = {
      NX_TASK_TARGET_PROJECT: "publisher",
      NX_TASK_TARGET_TARGET: "serve",
      EVENTS_JSONL_FILE: "-",
    };
    expect(() => publisherConfig([], env)).toThrow(/^EVENTS_JSONL_FILE: Nx passes no standard input on/);
    expect(publisherConfig([], { ...env, NX_TASK_TARGET_TARGET: "test" }).file).toBe("-");
  });

  test.each([
    [["--file=nowhere.jsonl"], {}, /^--file: there is no file .*nowhere\.jsonl/],
    [[], { EVENTS_JSONL_FILE: import.meta.dirname }, /^EVENTS_JSONL_FILE: .* is a directory/],
    [["--rate=0"], {}, /^--rate: "0" is not a number above 0/],
    [[], { MILLRACE_RATE: "fast" }, /^MILLRACE_RATE: "fast" is not a number above 0/],
    [["--wait-for-subscriber=-1"], {}, /^--wait-for-subscriber: "-1" is not a number, 0 or above/],
  ])("refuses %j with %j", (args, env, message) => {
    expect(() => publisherConfig(args, env)).toThrow(message);
  });
});
