import { expect, test } from "@jest/globals";
import { IterableSource, run } from "@millrace/dataflow";
import type { RawLine } from "@millrace/dataflow";
import { TestingSink } from "@millrace/dataflow/testing";
import { TumblingWindower } from "@millrace/windowing";
import { echo } from "../../src/flows/echo.ts";

test("echo passes every line on as it is", async () => {
  const lines: readonly RawLine[] = ['{ "a" : 1 }', "not JSON", "", new Uint8Array([0xff])];
  const out = new TestingSink<RawLine>();
  const windower = new TumblingWindower({ lengthMs: 1_000 });
  await run(echo({ source: new IterableSource(lines), out, windower, meta: false })).done;
  expect(out.rows).toEqual(lines);
});
