import { expect, test } from "@jest/globals";
import { Dataflow } from "@millrace/dataflow";
import type { DeadLetter, Logger, Sink } from "@millrace/dataflow";
import { FlowDriver, TestingSink, TestingSource } from "@millrace/dataflow/testing";

async function refusing(deadLetter?: Sink<DeadLetter>, parts: readonly string[] = ["testing"]) {
  const source = new TestingSource<string>({ parts });
  const lines: Record<string, unknown>[] = [];
  const quiet = (): void => undefined;
  const logger: Logger = {
    debug: quiet,
    info: quiet,
    warn: (fields) => void lines.push({ ...fields }),
    error: quiet,
  };
  const flow = new Dataflow("refusing", deadLetter === undefined ? {} : { deadLetter });
  flow
    .input("in", source)
    .decode("decode", { decode: () => ({ kind: "malformed", reason: { code: "bad", message: "bad" } }) })
    .output("out", new TestingSink());
  const driver = await FlowDriver.start(flow, { logger });
  const push = async (count: number): Promise<void> => {
    for (const part of parts)
      source.push(
        Array.from({ length: count }, () => "x".repeat(5_000)),
        { part },
      );
    await driver.settle();
  };
  const logged = (event: string): Record<string, unknown>[] =>
    lines.filter((line) => line["event"] === event);
  return { driver, push, logged };
}

test("ten dead letters a minute are logged in full, the rest as a number", async () => {
  const { driver, push, logged } = await refusing();
  await push(25);
  await push(75);
  expect(logged("dead-letter")).toHaveLength(10);
  expect(String(logged("dead-letter")[0]?.["payload"]).length).toBe(1_025);
  expect(logged("dead-letters")).toEqual([]);
  await driver.advanceBy(60_000);
  expect(logged("dead-letters")).toEqual([{ event: "dead-letters", count: 90 }]);
  await push(12);
  expect(logged("dead-letter")).toHaveLength(20);
  await driver.stop();
  expect(logged("dead-letters")).toEqual([
    { event: "dead-letters", count: 90 },
    { event: "dead-letters", count: 2 },
  ]);
});

test("all partitions of a run share the limit", async () => {
  const { driver, push, logged } = await refusing(undefined, ["a", "b", "c"]);
  await push(20);
  expect(logged("dead-letter")).toHaveLength(10);
  await driver.stop();
  expect(logged("dead-letters")).toEqual([{ event: "dead-letters", count: 50 }]);
});

test("a dead-letter sink gets the whole payload, and nothing is logged", async () => {
  const letters = new TestingSink<DeadLetter>();
  const { driver, push, logged } = await refusing(letters);
  await push(20);
  expect(letters.rows).toHaveLength(20);
  expect(letters.rows[0]?.payload).toBe("x".repeat(5_000));
  expect(logged("dead-letter")).toEqual([]);
  await driver.stop();
});
