import { expect, test } from "@jest/globals";
import { EXIT_CODES } from "@millrace/cli";

test("the exit codes are what the documentation says", () => {
  expect(EXIT_CODES).toEqual({ ok: 0, failure: 1, usage: 2, fenced: 75 });
});
