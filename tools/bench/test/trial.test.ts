import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { createLogger } from "@millrace/cli";
import { beforeAll, describe, expect, test } from "@jest/globals";
import { peer, peers } from "../src/benchmarks/peers.ts";
import { pipeline } from "../src/benchmarks/pipeline.ts";
import { Bed } from "../src/lab/bed.ts";
import { pause } from "../src/lab/consumer.ts";
import { runGroup } from "../src/run-group.ts";
import { markdownTable } from "../src/table.ts";
import type { Line } from "../src/table.ts";

const NAMES = ["millrace", "rxjs-buffer", "stream-64-bare-loop", "stream-64-on", "pubsub-frames-floor"];

/** Programs that run with Node, but do not count. */
const script = (text: string): Parameters<typeof peer>[2] => ({
  version: "1",
  command: () => ({ file: process.execPath, args: ["-e", text] }),
});

// What a process uses is read from /proc.
(existsSync("/proc/self/stat") ? describe : describe.skip)("a few events, on Linux", () => {
  let lines: readonly Line[];
  const lineOf = (name: string): Line | undefined => lines.find((line) => line.case === name);

  beforeAll(async () => {
    const all = [...pipeline.groups, ...peers.groups].flatMap(({ cases }) => cases);
    const cases = [
      ...NAMES.flatMap((name) => all.filter((each) => each.case === name)),
      peer("absent", "Absent", { ...script(""), version: undefined }),
      peer("wrong", "Wrong", script("throw new Error('out of order')")),
    ];
    const bed = await Bed.open();
    try {
      lines = await runGroup(
        { cases },
        {
          rounds: 1,
          scale: 0.002,
          signal: new AbortController().signal,
          logger: createLogger("test", { level: "silent", format: "json" }),
          bed: () => Promise.resolve(bed),
        },
      );
    } finally {
      await bed.close();
    }
  }, 60_000);

  test.each(NAMES)("the rows of %s add up, and it has figures", (name) => {
    expect(lineOf(name)?.figures).toMatchObject({
      rounds: 1,
      cpuMicrosPerEvent: expect.any(Number),
      eventsPerCpuSecond: expect.any(Number),
      eventsPerSecond: expect.any(Number),
      rssMiB: expect.any(Number),
    });
  });

  test("ratios are those to a case of the same group", () => {
    expect(lineOf("rxjs-buffer")?.figures["ratioToPeer"]).toBeGreaterThan(0);
    expect(lineOf("stream-64-on")?.figures["ratioToBareListener"]).toBeGreaterThan(0);
  });

  test("the others were not run, and the line says why", () => {
    expect(lineOf("absent")).toMatchObject({
      figures: {},
      notRun: expect.stringContaining("peers/set-up.sh"),
    });
    expect(lineOf("wrong")).toHaveProperty("notRun", expect.stringContaining("out of order"));
  });

  test("reads as a table with a row for each", () => {
    const rows = markdownTable(peers.columns, lines).split("\n").slice(2);
    expect(rows).toHaveLength(lines.length);
    expect(rows.find((row) => row.includes("Absent"))).toMatch(/^\| Absent .* It is not set up.* +\|$/);
  });
});

test("a paused process continues when its pause ends", async () => {
  const child = spawn("cat", { stdio: ["pipe", "pipe", "inherit"] });
  const resume = await pause(child.pid);
  child.stdin.end("read\n");
  resume();
  const [data] = (await once(child.stdout, "data")) as [Buffer];
  expect(data.toString()).toBe("read\n");
});
