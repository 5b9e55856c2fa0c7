import { describe, expect, test } from "@jest/globals";
import { EventClock, SystemClock } from "@millrace/windowing";
import { parseClock } from "../src/clock-spec.ts";

describe("parseClock", () => {
  test.each([
    ["system", new SystemClock()],
    ["publish", new EventClock({ waitMs: 1_000 })],
    ["publish:500ms", new EventClock({ waitMs: 500 })],
    ["publish:0s", new EventClock({ waitMs: 0 })],
  ])("reads %s", (text, clock) => {
    expect(parseClock(text)).toEqual(clock);
  });

  test.each(["", "event", "system:1s", "publisher"])("refuses %j as a clock", (text) => {
    expect(() => parseClock(text)).toThrow(/is not a clock: give system, publish or publish:<wait>/);
  });

  test("refuses a wait that is no duration", () => {
    expect(() => parseClock("publish:")).toThrow('"" is not a duration');
  });
});
