import { expect, test } from "@jest/globals";
import { IterableSource, run } from "@millrace/dataflow";
import type { RawLine } from "@millrace/dataflow";
import { TestingSink } from "@millrace/dataflow/testing";
import { echo } from "../../src/flows/echo.ts";
import { testParts } from "../support/parts.ts";

test("echo prints every line unchanged", async () => {
  const lines: readonly RawLine[] = ['{ "a" : 1 }', "not JSON", "", new Uint8Array([0xff])];
  const out = new TestingSink<unknown>();
  await run(echo(testParts({ source: new IterableSource(lines), out })));
  expect(out.rows).toEqual(lines);
});
