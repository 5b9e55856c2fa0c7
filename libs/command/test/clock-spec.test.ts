import { describe, expect, test } from "@jest/globals";
import { count, createWindowEngine, messageTime, systemTime, tumbling } from "@millrace/windowing";
import { parseClock } from "../src/options/clock-spec.ts";

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

  const AT = 1_763_848_800_250;

  test.each([
    ["event:at", { at: AT }, AT],
    ["event:at", { at: "2025-11-22T22:00:00.250Z" }, AT],
    ["event:order.at", { order: { at: new Date(AT) } }, AT],
    ["event:at", { at: String(AT) }, AT],
    ["event-seconds:at", { at: AT / 1_000 }, AT],
    ["event-seconds:at", { at: String(AT / 1_000) }, AT],
    ["event-seconds:order.at", { order: { at: AT / 1_000 } }, AT],
  ])("with %s, the time of %j is in its field", (text, event, time) => {
    const engine = engineOf(text);
    engine.process({ keys: ["a"], values: [event] }, AT);
    expect(engine.stats()).toMatchObject({ counted: 1, watermark: time - 1_000 });
  });

  test.each([{}, { at: null }, { at: "soon" }, { at: `${AT}ms` }, { at: { at: AT } }, null, "at"])(
    "with event:at, the event %j is refused",
    (event) => {
      const engine = engineOf("event:at");
      expect(engine.process({ keys: ["a"], values: [event] }, AT).refused).toMatchObject([
        { reason: "invalid-timestamp" },
      ]);
    },
  );

  test("reads how long windows wait for events, and what is too far ahead", () => {
    expect(parseClock("event:at")).toMatchObject({ waitMs: 1_000, maxFutureMs: 300_000 });
    expect(parseClock("event:at:0s:1h")).toMatchObject({ waitMs: 0, maxFutureMs: 3_600_000 });
    expect(parseClock("event-seconds:at:2s:unbounded")).toMatchObject({
      waitMs: 2_000,
      maxFutureMs: Infinity,
    });
  });

  test.each([
    "",
    "event",
    "event:",
    "event-s:at",
    "event:at:1s:1s:1s",
    "system:1s:2s",
    "publish:1s:1s:1s",
    "publisher",
  ])("refuses %j as a clock", (text) => {
    expect(() => parseClock(text)).toThrow(
      /is not a clock: give system, system:<settle>, publish, event:<field> or event-seconds:<field>/,
    );
  });

  test("an event too far in the future is refused by default", () => {
    expect(parseClock("publish")).toMatchObject({ maxFutureMs: 300_000 });
  });

  test("refuses a wait that is not a duration", () => {
    expect(() => parseClock("publish:")).toThrow('"" is not a duration');
    expect(() => parseClock("publish:1s:never")).toThrow('"never" is not a duration');
    expect(() => parseClock("event:at:")).toThrow('"" is not a duration');
    expect(() => parseClock("system:soon")).toThrow('"soon" is not a duration');
  });
});

function engineOf(clock: string) {
  return createWindowEngine({ windower: tumbling("1s"), clock: parseClock(clock), fold: count() });
}
