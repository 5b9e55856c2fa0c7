import { expect, it } from "@jest/globals";
import { requireRoom } from "../src/load-task.ts";

it("refuses state that the heap has no room for before it is read", () => {
  const sizes = new Map([
    ["w/1", 100_000],
    ["w/2", 200_000],
  ]);
  const keys = { base: "{clicks}:flow" };
  expect(() => {
    requireRoom(sizes, keys, 256 * 2 ** 20);
  }).not.toThrow();
  expect(() => {
    requireRoom(sizes, keys, 128 * 2 ** 20);
  }).toThrow(
    expect.objectContaining({
      code: "MILLRACE_STATE_TOO_LARGE",
      message: expect.stringMatching(/300000 fields.* 128 MiB/),
    }),
  );
});
