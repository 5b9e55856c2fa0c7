import { createLogger } from "@millrace/cli";
import { beforeAll, describe, expect, test } from "@jest/globals";

import { runGroup } from "../src/benchmark.ts";
import type { Line } from "../src/benchmark.ts";
import { peers, PEERS, peersGroup } from "../src/benchmarks/peers.ts";
import type { Peer } from "../src/benchmarks/peers.ts";
import { Bed } from "../src/lab/bed.ts";
import { markdownTable } from "../src/table.ts";

const absent: Peer = {
  case: "absent",
  name: "Absent",
  setUp: () => Promise.reject(new Error("cobol: not found")),
};

const wrong: Peer = {
  case: "wrong",
  name: "Wrong",
  setUp: () =>
    Promise.resolve({
      version: "1",
      command: () => ({ file: process.execPath, args: ["-e", "throw new Error('out of order')"] }),
    }),
};

describe("a comparison of Millrace, RxJS, a peer that cannot be set up, and one that fails", () => {
  let lines: readonly Line[];

  beforeAll(async () => {
    const { signal } = new AbortController();
    const logger = createLogger("test", { level: "silent", format: "json" });
    const rxjs = PEERS.filter(({ case: name }) => name.startsWith("rxjs"));
    const bed = await Bed.open();
    try {
      const settings = { rounds: 1, scale: 0.002, signal, logger };
      lines = await runGroup(await peersGroup(bed, [absent, ...rxjs, wrong], settings), settings);
    } finally {
      await bed.close();
    }
  });

  test("has figures of those whose rows add up", () => {
    const measured: unknown = expect.objectContaining({ rounds: 1, ratioToPeer: expect.any(Number) });
    expect(lines).toEqual([
      expect.objectContaining({ case: "millrace", contender: "Millrace" }),
      expect.objectContaining({ case: "absent" }),
      expect.objectContaining({ case: "rxjs-buffer", figures: measured }),
      expect.objectContaining({ case: "rxjs-window", figures: measured }),
      expect.objectContaining({ case: "wrong" }),
    ]);
  });

  test("says of the others that they were not run, and why", () => {
    expect(lines).toContainEqual({
      case: "absent",
      contender: "Absent",
      figures: {},
      notRun: "cobol: not found",
    });
    const failed = lines.find((line) => line.case === "wrong");
    expect(failed).toHaveProperty("notRun", expect.stringContaining("out of order"));
  });

  test("reads as a table with a row for each", () => {
    const rows = markdownTable(peers.columns, lines).split("\n").slice(2);
    expect(rows).toHaveLength(lines.length);
    expect(rows[1]).toMatch(/^\| Absent .* cobol: not found +\|$/);
  });
});
