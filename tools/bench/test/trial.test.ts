import { existsSync } from "node:fs";
import { createLogger } from "@millrace/cli";
import { startProcess } from "@millrace/local-redis/programs";
import { beforeAll, describe, expect, test } from "@jest/globals";
import { peer, peers, prepared } from "../src/benchmarks/peers.ts";
import { pipeline } from "../src/benchmarks/pipeline.ts";
import { runGroup } from "../src/run-group.ts";
import { markdownTable } from "../src/table.ts";
import type { Line } from "../src/table.ts";

const NAMES = ["all/millrace", "all/rxjs", "stream-64/loop", "stream-64/on", "pubsub-frames/floor"];

// What a process uses is read from /proc.
(existsSync("/proc/self/stat") ? describe : describe.skip)("a few events, on Linux", () => {
  let lines: readonly Line[];
  const lineOf = (name: string): Line | undefined =>
    lines.find((line) => line.case.name === name.replace(/.*\//, ""));

  beforeAll(async () => {
    const measured = [...pipeline.groups, ...peers.groups].flatMap((group) =>
      group.cases.filter(({ name }) => NAMES.includes(`${group.name}/${name}`)),
    );
    const wrong = peer("wrong", {
      name: "Wrong",
      start: (_bed, _load, options) =>
        startProcess(process.execPath, ["-e", "throw new Error('out of order')"], options),
    });
    const absent = peer("absent", prepared("Absent", "absent/program", "file", 1));
    const logger = createLogger("test", { level: "silent", format: "json" });
    const { signal } = new AbortController();
    const group = { name: "test", cases: [...measured, absent, wrong] };
    lines = await runGroup(group, { rounds: 1, scale: 0.002, signal, logger });
  }, 60_000);

  test.each(NAMES)("the rows of %s add up, and it has figures", (name) => {
    const figures = ["CPU µs/event", "events per CPU second", "events/s", "peak MiB"];
    for (const each of figures) expect(lineOf(name)?.figures[each]).toBeGreaterThan(0);
  });

  test("ratios are those to a case of the same group", () => {
    expect(lineOf("rxjs")?.figures["Millrace is N times as fast"]).toBeDefined();
    expect(lineOf("on")?.figures["to the bare loop"]).toBeDefined();
  });

  test("the others were not run, and the table says why", () => {
    expect(lineOf("wrong")?.notRun).toContain("out of order");
    const rows = markdownTable(lines).trim().split("\n").slice(2);
    expect(rows).toHaveLength(lines.length);
    expect(rows.at(-2)).toMatch(/^\| Absent .*It is not set up: run .*set-up.sh\.\) /);
  });
});
