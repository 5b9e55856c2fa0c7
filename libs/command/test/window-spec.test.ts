import "temporal-polyfill/global";

import { describe, expect, test } from "@jest/globals";
import { session, sliding, tumbling } from "@millrace/windowing";
import { parseWindow } from "../src/options/window-spec.ts";

describe("parseWindow", () => {
  test.each([
    ["tumbling:5s", tumbling(5_000)],
    ["tumbling:500ms", tumbling(500)],
    ["sliding:10s/1s", sliding(10_000, { every: 1_000 })],
    ["session:30s", session(30_000)],
  ])("reads %s", (text, windower) => {
    expect(parseWindow(text)).toEqual(windower);
  });

  test("reads days, weeks and months of a time zone", () => {
    const days = parseWindow("tumbling:1d@Europe/Berlin");
    expect(days).toEqual(tumbling("1d", { timeZone: "Europe/Berlin" }));
    expect(days).not.toEqual(tumbling("1d", { timeZone: "Europe/Paris" }));
    expect(parseWindow("tumbling:3mo@UTC")).toEqual(tumbling("3mo", { timeZone: "UTC" }));
  });

  test.each([
    [
      "sliding:2d/1d@Europe/Berlin",
      /^only tumbling windows have a time zone, such as tumbling:1d@Europe\/Berlin$/,
    ],
    ["session:30s@Europe/Berlin", /^only tumbling windows/],
    ["tumbling:24h@Europe/Berlin", /^"24h" is not a length of windows in a time zone: give whole days/],
    ["tumbling:1d@Mars/Base", /"Mars\/Base" is no time zone/],
    ["tumbling:1d@", /"" is no time zone/],
    ["tumbling:1mo", /a month has no fixed length, and is only for tumbling windows in a time zone/],
  ])("refuses %s", (text, message) => {
    expect(() => parseWindow(text)).toThrow(message);
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
