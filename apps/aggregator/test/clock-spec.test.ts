import { describe, expect, test } from "@jest/globals";
import { messageTime, systemTime } from "@millrace/windowing";
import { parseClock } from "../src/clock-spec.ts";

describe("parseClock", () => {
  test.each([
    ["system", systemTime()],
    ["publish", messageTime({ wait: 1_000 })],
    ["publish:500ms", messageTime({ wait: 500 })],
    ["publish:0s", messageTime({ wait: 0 })],
    ["publish:2s:1m", messageTime({ wait: 2_000, maxFuture: 60_000 })],
    ["publish:2s:unbounded", messageTime({ wait: 2_000, maxFuture: "unbounded" })],
    ["system:2s", systemTime({ settle: 2_000 })],
  ])("reads %s", (text, clock) => {
    expect(parseClock(text)).toEqual(clock);
  });

  test.each(["", "event", "system:1s:2s", "publish:1s:1s:1s", "publisher"])(
    "refuses %j as a clock",
    (text) => {
      expect(() => parseClock(text)).toThrow(
        /is not a clock: give system, system:<settle>, publish, publish:<wait> or/,
      );
    },
  );

  test("an event too far in the future is refused by default", () => {
    expect(parseClock("publish")).toMatchObject({ maxFutureMs: 300_000 });
  });

  test("refuses a wait that is not a duration", () => {
    expect(() => parseClock("publish:")).toThrow('"" is not a duration');
    expect(() => parseClock("publish:1s:never")).toThrow('"never" is not a duration');
    expect(() => parseClock("system:soon")).toThrow('"soon" is not a duration');
  });
});
