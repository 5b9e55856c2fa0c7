import { existsSync } from "node:fs";
import { createLogger } from "@millrace/cli";
import { startProcess } from "@millrace/local-redis/programs";
import { beforeAll, describe, expect, test } from "@jest/globals";
import { peer, peers, prepared } from "../src/benchmarks/peers.ts";
import { pipeline } from "../src/benchmarks/pipeline.ts";
import { scale } from "../src/benchmarks/scale.ts";
import { shares } from "../src/benchmarks/shares.ts";
import { runGroup } from "../src/run-group.ts";
import { markdownTable } from "../src/table.ts";
import type { Line } from "../src/table.ts";

/** Turns that check their rows, as all do. */
const ON_THEIR_OWN = [
  "stop",
  "chain-64",
  "latency-stream-1-on",
  "latency-lines-off",
  "start-aggregator",
  "start-help",
];
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
    const own = [...shares.groups, ...scale.groups, ...pipeline.groups].flatMap(({ cases }) =>
      cases.filter(({ name }) => ON_THEIR_OWN.includes(name)),
    );
    const group = { name: "test", cases: [...measured, ...own, absent, wrong] };
    lines = await runGroup(group, { rounds: 1, scale: 0.002, signal, logger });
  }, 180_000);

  test.each(NAMES)("the rows of %s add up, and it has figures", (name) => {
    for (const each of ["events/s", "peak MiB"]) expect(lineOf(name)?.figures[each]).toBeGreaterThan(0);
    // A few events may take less than a tick of the clock that CPU time is counted by.
    expect(lineOf(name)?.figures["CPU µs/event"]).toBeGreaterThanOrEqual(0);
  });

  test("a worker that stops hands over its third of the partitions, and the rows add up", () => {
    expect(lineOf("stop")?.figures).toMatchObject({ times: 1, parts: 8 });
    expect(lineOf("stop")?.figures["owned p99 ms"]).toBeGreaterThan(0);
  });

  test("an event costs something at each part", () => {
    // Redis counts its time in microseconds, and bytes exactly; lines of 280 bytes share a frame.
    expect(lineOf("chain-64")?.figures["Redis, writing"]).toBeGreaterThan(0);
    expect(lineOf("chain-64")?.figures["bytes into Redis"]).toBeGreaterThan(280);
  });

  test.each(["latency-stream-1-on", "latency-lines-off"])(
    "%s: windows have a time until their last row",
    (name) => {
      expect(lineOf(name)?.figures["windows"]).toBeGreaterThan(0);
      expect(lineOf(name)?.figures["p99 ms"]).toBeGreaterThanOrEqual(0);
    },
  );

  test.each(["start-aggregator", "start-help"])("%s: a start takes time", (name) => {
    expect(lineOf(name)?.figures["ms"]).toBeGreaterThan(0);
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
