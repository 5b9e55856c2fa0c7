import { existsSync } from "node:fs";
import { createLogger } from "@millrace/cli";
import { startProcess } from "@millrace/local-redis/programs";
import { beforeAll, describe, expect, test } from "@jest/globals";
import { peer, peers } from "../src/benchmarks/peers.ts";
import { pipeline } from "../src/benchmarks/pipeline.ts";
import { runGroup } from "../src/run-group.ts";
import { markdownTable } from "../src/table.ts";
import type { Line } from "../src/table.ts";

const NAMES = ["millrace", "rxjs-buffer", "stream-64-bare-loop", "stream-64-on", "pubsub-frames-floor"];

/** A program that runs with Node, but does not count. */
const script = (text: string): Parameters<typeof peer>[2] => ({
  version: "1",
  start: (_bed, _load, options) => startProcess(process.execPath, ["-e", text], options),
});

// What a process uses is read from /proc.
(existsSync("/proc/self/stat") ? describe : describe.skip)("a few events, on Linux", () => {
  let lines: readonly Line[];
  const lineOf = (name: string): Line | undefined => lines.find((line) => line.case.name === name);

  beforeAll(async () => {
    const all = [...pipeline.groups, ...peers.groups].flatMap(({ cases }) => cases);
    const cases = [
      ...NAMES.flatMap((name) => all.filter((each) => each.name === name)),
      peer("absent", "Absent", { ...script(""), version: undefined }),
      peer("wrong", "Wrong", script("throw new Error('out of order')")),
    ];
    const logger = createLogger("test", { level: "silent", format: "json" });
    const { signal } = new AbortController();
    lines = await runGroup({ cases }, { rounds: 1, scale: 0.002, signal, logger });
  }, 60_000);

  test.each(NAMES)("the rows of %s add up, and it has figures", (name) => {
    const figures = ["CPU µs/event", "events per CPU second", "events/s", "peak MiB"];
    for (const each of figures) expect(lineOf(name)?.figures[each]).toBeGreaterThan(0);
  });

  test("ratios are those to a case of the same group", () => {
    expect(lineOf("rxjs-buffer")?.figures["Millrace is N times as fast"]).toBeDefined();
    expect(lineOf("stream-64-on")?.figures["to the bare loop"]).toBeDefined();
  });

  test("the others were not run, and the table says why", () => {
    expect(lineOf("wrong")?.notRun).toContain("out of order");
    const rows = markdownTable(lines).trim().split("\n").slice(2);
    expect(rows).toHaveLength(lines.length);
    expect(rows.at(-2)).toMatch(/^\| Absent .*It is not set up: run .*set-up.sh\.\) /);
  });
});
