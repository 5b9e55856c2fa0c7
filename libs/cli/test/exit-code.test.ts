import { expect, jest, test } from "@jest/globals";
import { EXIT_CODES, UsageError } from "@millrace/cli";
import type * as dataflow from "@millrace/dataflow";
import { FencedError } from "@millrace/dataflow";
import { RedisOptionsError, RedisUnreachableError } from "@millrace/redis-source";
import { exitCodeOf } from "../src/errors.ts";

test("the exit codes are those of the documentation", () => {
  expect(EXIT_CODES).toEqual({ ok: 0, failure: 1, usage: 2, fenced: 75 });
});

test.each([
  ["a usage error", new UsageError("no"), 2],
  ["an invalid option of a connection", new RedisOptionsError("no"), 2],
  ["another owner", new FencedError("no"), 75],
  ["a broken pipe that is not standard output", new RedisUnreachableError("no", { cause: epipe() }), 1],
  ["any other error", new Error("no"), 1],
])("%s", (_, error, code) => {
  expect(exitCodeOf(error)).toBe(code);
});

test("an error of another copy of the library has the same exit code", async () => {
  jest.resetModules();
  // Named by a variable: a literal would count as loading the library lazily everywhere.
  const name = "@millrace/dataflow";
  const copy = (await import(name)) as typeof dataflow;
  const error = new copy.FencedError("no");
  expect(error).not.toBeInstanceOf(FencedError);
  expect(exitCodeOf(error)).toBe(75);
});

function epipe(): Error {
  return Object.assign(new Error("write EPIPE"), { code: "EPIPE" });
}
