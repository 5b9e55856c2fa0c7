import { describe, expect, test } from "@jest/globals";
import { Dataflow } from "@millrace/dataflow";
import type { Decoder, RawLine, Source, Stream } from "@millrace/dataflow";
import { FlowDriver, TestingSink, TestingSource } from "@millrace/dataflow/testing";

const line: Decoder<RawLine, string> = { decode: (raw) => ({ kind: "event", event: String(raw) }) };
const copies: Decoder<RawLine, string> = { ...line, keepsText: false };

/** What a source learns about a flow. */
async function keepsLines<T>(steps: (lines: Stream<RawLine>) => Stream<T>): Promise<unknown> {
  const inner = new TestingSource<RawLine>();
  let keeps: unknown;
  const source: Source<RawLine> = {
    partitioning: inner.partitioning,
    listParts: () => inner.listParts(),
    buildPart(part, resume, context) {
      keeps = context.keepsLines;
      return inner.buildPart(part, resume, context);
    },
  };
  const flow = new Dataflow("lines");
  steps(flow.input("in", source)).output("out", new TestingSink<T>());
  const driver = await FlowDriver.start(flow);
  await driver.stop();
  return keeps;
}

describe("a flow", () => {
  test("keeps no lines if all that gets them are decoders that copy", async () => {
    expect(await keepsLines((lines) => lines.decode(copies))).toBe(false);
    expect(await keepsLines((lines) => lines.decode("a", copies).merge(lines.decode("b", copies)))).toBe(
      false,
    );
  });

  test("may keep lines if a decoder does not say, or another step gets them", async () => {
    expect(await keepsLines((lines) => lines.decode(line))).toBe(true);
    expect(await keepsLines((lines) => lines)).toBe(true);
    expect(await keepsLines((lines) => lines.map(String).merge(lines.decode(copies)))).toBe(true);
    expect(await keepsLines((lines) => lines.merge(lines.filter(() => false)).decode(copies))).toBe(true);
  });
});
