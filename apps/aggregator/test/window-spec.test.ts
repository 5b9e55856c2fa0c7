import { describe, expect, test } from "@jest/globals";
import { TumblingWindower } from "@millrace/windowing";
import { parseWindow } from "../src/window-spec.ts";

describe("parseWindow", () => {
  test("reads tumbling windows", () => {
    expect(parseWindow("tumbling:5s")).toEqual(new TumblingWindower({ lengthMs: 5_000 }));
    expect(parseWindow("tumbling:500ms")).toEqual(new TumblingWindower({ lengthMs: 500 }));
  });

  test.each(["tumbling", "5s", "hopping:5s", "", ":5s", "toString:5s"])("refuses %j as a window", (text) => {
    expect(() => parseWindow(text)).toThrow(/is not a window: give tumbling, a colon and a length/);
  });

  test.each(["tumbling:5", "tumbling:", "tumbling:0s", "tumbling:5s:1s"])(
    "refuses the length of %j",
    (text) => {
      expect(() => parseWindow(text)).toThrow(/is not a duration/);
    },
  );
});
