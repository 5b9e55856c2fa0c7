import { describe, expect, test } from "@jest/globals";
import { session, sliding, tumbling } from "@millrace/windowing";
import { parseWindow } from "../src/window-spec.ts";

describe("parseWindow", () => {
  test.each([
    ["tumbling:5s", tumbling(5_000)],
    ["tumbling:500ms", tumbling(500)],
    ["sliding:10s/1s", sliding(10_000, { every: 1_000 })],
    ["session:30s", session(30_000)],
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
