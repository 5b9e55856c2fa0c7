import { describe, expect, test } from "@jest/globals";
import { SessionWindower, SlidingWindower, TumblingWindower } from "@millrace/windowing";
import { parseWindow } from "../src/window-spec.ts";

describe("parseWindow", () => {
  test.each([
    ["tumbling:5s", new TumblingWindower({ lengthMs: 5_000 })],
    ["tumbling:500ms", new TumblingWindower({ lengthMs: 500 })],
    ["sliding:10s/1s", new SlidingWindower({ lengthMs: 10_000, offsetMs: 1_000 })],
    ["session:30s", new SessionWindower({ gapMs: 30_000 })],
  ])("reads %s", (text, windower) => {
    expect(parseWindow(text)).toEqual(windower);
  });

  test.each([
    "tumbling",
    "5s",
    "hopping:5s",
    "",
    ":5s",
    "toString:5s",
    "tumbling:5s/1s",
    "sliding:5s",
    "sliding:5s/1s/1s",
    "session:5s/1s",
  ])("refuses %j as a window", (text) => {
    expect(() => parseWindow(text)).toThrow(/is not a window: give tumbling:<length>, /);
  });

  test.each(["tumbling:5", "tumbling:", "tumbling:0s", "tumbling:5s:1s", "sliding:/1s", "session:soon"])(
    "refuses a duration of %j",
    (text) => {
      expect(() => parseWindow(text)).toThrow(/is not a duration/);
    },
  );

  test("refuses windows with gaps between them", () => {
    expect(() => parseWindow("sliding:1s/5s")).toThrow(RangeError);
    expect(() => parseWindow("sliding:1s/5s")).toThrow(
      /^the second duration is longer than the first, .* at most the length$/,
    );
  });
});
