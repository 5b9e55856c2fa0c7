import { readFileSync } from "node:fs";
import { describe, expect, test } from "@jest/globals";
import { IterableSource, reconcile, run } from "@millrace/dataflow";
import type { FlowStats, RawLine } from "@millrace/dataflow";
import { FlowDriver, TestingSink, TestingSource } from "@millrace/dataflow/testing";
import { TumblingWindower } from "@millrace/windowing";
import { mobileCounts } from "../../src/flows/mobile-counts.ts";
import type { MobileCount } from "../../src/flows/mobile-counts.ts";
import { clickLine } from "../support/clicks.ts";
import { EXAMPLE_EVENTS, expectedRows, hasExample } from "../support/example.ts";

const windower = new TumblingWindower({ lengthMs: 5_000 });

function live(meta: boolean): {
  source: TestingSource<RawLine>;
  out: TestingSink<MobileCount>;
  driver: Promise<FlowDriver>;
} {
  const source = new TestingSource<RawLine>();
  const out = new TestingSink<MobileCount>();
  return {
    source,
    out,
    driver: FlowDriver.start(mobileCounts({ source, out, windower, meta }), { startAt: 1_000 }),
  };
}

async function count(lines: readonly RawLine[]): Promise<{ rows: readonly string[]; stats: FlowStats }> {
  const out = new TestingSink<MobileCount>();
  const source = new IterableSource(lines);
  const stats = await run(mobileCounts({ source, out, windower, meta: false })).done;
  return { rows: out.rows.map((row) => JSON.stringify(row)), stats };
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

  test("a window closes when its time is over, without another event", async () => {
    const { source, out, driver } = live(false);
    const flow = await driver;
    source.push([clickLine()]);
    await flow.advanceTo(4_999);
    expect(out.rows).toEqual([]);
    await flow.advanceTo(5_000);
    expect(out.take()).toEqual([{ timezone: "Europe/Madrid", num_mobile_users: 1 }]);
    source.push([clickLine(), clickLine()]);
    await flow.advanceTo(10_000);
    expect(out.take()).toEqual([{ timezone: "Europe/Madrid", num_mobile_users: 2 }]);
    await flow.stop();
  });

  test("with meta, a row tells its window and why it closed", async () => {
    const { source, out, driver } = live(true);
    const flow = await driver;
    source.push([clickLine()]);
    await flow.advanceTo(5_000);
    source.push([clickLine()]);
    await flow.settle();
    await flow.stop();
    expect(out.rows).toEqual([
      {
        timezone: "Europe/Madrid",
        num_mobile_users: 1,
        window: { id: 0, open: 0, close: 5_000 },
        cause: "watermark",
      },
      {
        timezone: "Europe/Madrid",
        num_mobile_users: 1,
        window: { id: 1, open: 5_000, close: 10_000 },
        cause: "drain",
      },
    ]);
  });

  test("what is not a click is accounted for and in no row", async () => {
    const { rows, stats } = await count(["{", "7", "[]", '{"os_timezone":"UTC"}', "", clickLine()]);
    expect(rows).toEqual(['{"timezone":"Europe/Madrid","num_mobile_users":1}']);
    expect(reconcile(stats)).toMatchObject({
      received: 6,
      decoded: 1,
      malformed: 4,
      blank: 1,
      unaccounted: 0,
    });
  });

  (hasExample ? test : test.skip)("counts the tutorial's events as the tutorial did", async () => {
    const lines = readFileSync(EXAMPLE_EVENTS, "utf8").trimEnd().split("\n");
    const { rows } = await count(lines);
    expect(rows.toSorted()).toEqual(expectedRows());
  });
});
