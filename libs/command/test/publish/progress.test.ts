import { PassThrough } from "node:stream";
import { describe, expect, test } from "@jest/globals";
import { SILENT_LOGGER } from "@millrace/dataflow";
import { VirtualTime } from "@millrace/dataflow/testing";
import { barProgress, logProgress } from "../../src/publish/progress.ts";

describe("logProgress", () => {
  test("shows count, total and the measured rate", () => {
    const time = new VirtualTime(0);
    const lines: string[] = [];
    const logger = { ...SILENT_LOGGER, info: (_: object, message: string) => void lines.push(message) };
    const progress = logProgress(logger, 30, time);
    time.set(500);
    progress.add(10);
    time.set(2_500);
    progress.add(20);
    progress.end();
    expect(lines).toEqual(["10 of 30 events, 20/s", "30 of 30 events, 10/s"]);
  });
});

describe("barProgress", () => {
  async function drawn(total: number | undefined, columns = 100): Promise<string> {
    const terminal = Object.assign(new PassThrough(), {
      isTTY: true,
      columns,
      cursorTo: () => true,
      clearLine: () => true,
    });
    const time = new VirtualTime(0);
    const progress = await barProgress(terminal, total, time);
    time.set(1_000);
    progress.add(5);
    progress.end();
    return String(terminal.read());
  }

  test("draws a bar if the total is known", async () => {
    expect(await drawn(10)).toMatch(/publishing \[=+ +\] 50% \| 5\/10 events \| 5\/s/);
  });

  test("draws a short bar on a narrow terminal", async () => {
    expect(await drawn(10, 60)).toMatch(/publishing \[=+ +\] 50% \| 5\/10 events \| 5\/s/);
    expect(/\[[= ]+\]/.exec(await drawn(10, 60))?.[0]).toHaveLength(7);
  });

  test("draws a count if the total is unknown", async () => {
    expect(await drawn(undefined)).toContain("publishing 5 events | 5/s");
  });
});
