import { PassThrough } from "node:stream";
import { describe, expect, test } from "@jest/globals";
import { SILENT_LOGGER } from "@millrace/dataflow";
import { VirtualTime } from "@millrace/dataflow/testing";
import type { Extent } from "../../src/publish/extent.ts";
import { barProgress, logProgress } from "../../src/publish/progress.ts";

describe("logProgress", () => {
  test("shows count, share and the measured rate", () => {
    const time = new VirtualTime(0);
    const lines: string[] = [];
    const logger = { ...SILENT_LOGGER, info: (_: object, message: string) => void lines.push(message) };
    const progress = logProgress(logger, { total: 300, unit: "bytes" }, time);
    time.set(500);
    progress.add({ lines: 10, size: 101 });
    time.set(2_500);
    progress.add({ lines: 20, size: 200 });
    progress.end();
    expect(lines).toEqual(["10 events (33 %), 20/s", "30 events (100 %), 10/s"]);
  });
});

describe("barProgress", () => {
  async function drawn(extent: Extent | undefined, columns = 100): Promise<string> {
    const terminal = Object.assign(new PassThrough(), {
      isTTY: true,
      columns,
      cursorTo: () => true,
      clearLine: () => true,
    });
    const time = new VirtualTime(0);
    const progress = await barProgress(terminal, extent, time);
    time.set(1_000);
    progress.add({ lines: 5, size: extent?.unit === "bytes" ? 500 : 5 });
    progress.end();
    return String(terminal.read());
  }

  const ten: Extent = { total: 10, unit: "lines" };

  test("draws a bar if the total is known, in events or in bytes", async () => {
    const bytes = await drawn({ total: 2_000, unit: "bytes" });
    expect(bytes).toMatch(/publishing \[=+ +\] 25% \| 5 events \| 5\/s/);
    expect(await drawn(ten)).toMatch(/publishing \[=+ +\] 50% \| 5\/10 events \| 5\/s/);
  });

  test("draws a short bar on a narrow terminal", async () => {
    expect(await drawn(ten, 60)).toMatch(/publishing \[=+ +\] 50% \| 5\/10 events \| 5\/s/);
    expect(/\[[= ]+\]/.exec(await drawn(ten, 60))?.[0]).toHaveLength(7);
  });

  test("draws a count if the total is unknown", async () => {
    expect(await drawn(undefined)).toContain("publishing 5 events | 5/s");
  });
});
