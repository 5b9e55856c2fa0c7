import { readFileSync } from "node:fs";
import { describe, expect, test } from "@jest/globals";
import { IterableSource, reconcile, run } from "@millrace/dataflow";
import type { FlowStats, RawLine } from "@millrace/dataflow";
import { FlowDriver, TestingSource } from "@millrace/dataflow/testing";
import { messageTime } from "@millrace/windowing";
import { mobileCounts } from "../../src/flows/mobile-counts.ts";
import { clickLine } from "../support/clicks.ts";
import { EXAMPLE_EVENTS, expectedRows, testWithExample } from "../support/example.ts";
import { testParts } from "../support/parts.ts";
import type { TestParts } from "../support/parts.ts";

const MADRID = { timezone: "Europe/Madrid", num_mobile_users: 1 };

async function live(
  given: Parameters<typeof testParts>[0] = {},
): Promise<{ source: TestingSource<RawLine>; out: TestParts; flow: FlowDriver }> {
  const source = new TestingSource<RawLine>();
  const out = testParts({ ...given, source });
  return { source, out, flow: await FlowDriver.start(mobileCounts(out), { startAt: 1_000 }) };
}

async function count(lines: readonly RawLine[]): Promise<{ rows: readonly string[]; stats: FlowStats }> {
  const parts = testParts({ source: new IterableSource(lines) });
  const stats = await run(mobileCounts(parts));
  return { rows: parts.takeLines(), stats };
}

describe("mobile-counts", () => {
  test("counts mobile events by time zone; a zone without any has a row of 0", async () => {
    const { rows } = await count([
      clickLine(),
      clickLine({ os_timezone: "Asia/Bangkok", device_is_mobile: false }),
      clickLine(),
    ]);
    expect(rows).toEqual([
      '{"timezone":"Europe/Madrid","num_mobile_users":2}',
      '{"timezone":"Asia/Bangkok","num_mobile_users":0}',
    ]);
  });

  test("a window closes at its end, without another event", async () => {
    const { source, out, flow } = await live();
    source.push([clickLine()]);
    await flow.advanceTo(4_999);
    expect(out.takeLines()).toEqual([]);
    await flow.advanceTo(5_000);
    expect(out.takeLines()).toEqual([JSON.stringify(MADRID)]);
    source.push([clickLine(), clickLine()]);
    await flow.advanceTo(10_000);
    expect(out.takeLines()).toEqual([JSON.stringify({ ...MADRID, num_mobile_users: 2 })]);
    await flow.stop();
  });

  test("with meta, a row has its window, its revision, why it closed and whether it is complete", async () => {
    const { source, out, flow } = await live({ meta: true });
    source.push([clickLine()]);
    await flow.advanceTo(5_000);
    source.push([clickLine()]);
    await flow.settle();
    await flow.stop();
    const common = { ...MADRID, revision: 0, complete: "unknown" };
    expect(out.takeLines().map((line): unknown => JSON.parse(line))).toEqual([
      { ...common, window: { id: 0, open: 0, close: 5_000 }, cause: "watermark" },
      { ...common, window: { id: 1, open: 5_000, close: 10_000 }, cause: "drain" },
    ]);
  });

  test("emits early results and revisions if asked", async () => {
    const { source, out, flow } = await live({
      clock: messageTime({ wait: 0 }),
      windowing: { earlyEvery: 1_000, allowedLateness: 60_000 },
      meta: true,
    });
    source.push([clickLine()], { times: [1_500] });
    await flow.advanceTo(2_500);
    await flow.advanceTo(5_500);
    source.push([clickLine()], { times: [4_500] });
    await flow.settle();
    const rows = out.takeLines().map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(rows.map(({ cause, revision, num_mobile_users }) => [cause, revision, num_mobile_users])).toEqual([
      ["early", 0, 1],
      ["watermark", 1, 1],
      ["late", 2, 2],
    ]);
    await flow.stop();
  });

  test("a line that is not a click is accounted for and in no row", async () => {
    const { rows, stats } = await count(["{", "7", "[]", '{"os_timezone":"UTC"}', "", clickLine()]);
    expect(rows).toEqual([JSON.stringify(MADRID)]);
    expect(reconcile(stats)).toMatchObject({
      received: 6,
      decoded: 1,
      malformed: 4,
      blank: 1,
      unaccounted: 0,
    });
  });

  testWithExample("counts the tutorial's events as the tutorial did", async () => {
    const { rows } = await count(readFileSync(EXAMPLE_EVENTS, "utf8").trimEnd().split("\n"));
    expect(rows.toSorted()).toEqual(expectedRows());
  });
});
