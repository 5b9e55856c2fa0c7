import { describe, expect, it } from "@jest/globals";
import { placeOf } from "../../src/source/beginning.ts";
import { readResume } from "../../src/source/position.ts";
import { KafkaPositionError } from "../../src/errors.ts";

describe("the beginning at a time", () => {
  it("leaves out windows that open before, if records are before", () => {
    expect(placeOf(20_000, 0, 7, 20_100)).toEqual({ offset: 7, wholeFrom: 20_000, gone: undefined });
    expect(placeOf(20_000, 3, 7, 20_100)).toEqual({ offset: 7, wholeFrom: 20_000, gone: undefined });
  });

  it("leaves no window out if no record was ever before", () => {
    expect(placeOf(20_000, 0, 0, 20_100)).toMatchObject({ offset: 0, wholeFrom: undefined });
  });

  it("moves to the first record that retention has left, if others may be gone", () => {
    const gone = { offsets: 7, from: 20_000, to: 25_001 };
    expect(placeOf(20_000, 7, 7, 25_000)).toEqual({ offset: 7, wholeFrom: 25_001, gone });
  });
});

it("a task resumes at a time or an offset that it was reset to, and at no entry of a stream", () => {
  for (const start of ["1234", "2026-11-28T10:00:00.000Z"]) {
    expect(readResume({ start })).toEqual({ kind: "start", start });
  }
  expect(() => readResume({ start: "1763848800123-0" })).toThrow(KafkaPositionError);
});
