import { describe, expect, test } from "@jest/globals";

import * as windowing from "../src/index.ts";

describe("errors", () => {
  const classes = Object.values(windowing).filter(
    (value): value is typeof windowing.WindowSpecError =>
      typeof value === "function" && value.prototype instanceof windowing.WindowingError,
  );

  test("each has a code of its own, on the class and on the error", () => {
    expect(classes.map(({ code }) => code).sort()).toEqual([
      "MILLRACE_ACCUMULATOR_TOO_LARGE",
      "MILLRACE_DURATION",
      "MILLRACE_FOLD_VALUE",
      "MILLRACE_WINDOW_BATCH",
      "MILLRACE_WINDOW_EVENT",
      "MILLRACE_WINDOW_OPTIONS",
      "MILLRACE_WINDOW_SPEC",
      "MILLRACE_WINDOW_STATE",
    ]);
    for (const ErrorClass of classes) {
      const cause = new Error("why");
      const details = { cause, bytes: 1, maxBytes: 1, key: "a", value: 1 };
      const error = new ErrorClass("what", details);
      expect([error.code, error.name, error.cause]).toEqual([ErrorClass.code, ErrorClass.name, cause]);
      expect(error).toBeInstanceOf(windowing.WindowingError);
    }
  });
});
