import { createLogger } from "@millrace/cli";
import { beforeAll, describe, expect, test } from "@jest/globals";

import { runGroup } from "../src/run-benchmark.ts";
import { peer, peers } from "../src/benchmarks/peers.ts";
import { Bed } from "../src/lab/bed.ts";
import { markdownTable } from "../src/table.ts";
import type { Line } from "../src/table.ts";

const { execPath: file } = process;
const absent = peer("absent", {
  name: "Absent",
  version: undefined,
  command: () => ({ file, args: [] }),
});
const wrong = peer("wrong", {
  name: "Wrong",
  version: "1",
  command: () => ({ file, args: ["-e", "throw new Error('out of order')"] }),
});

describe("a comparison of Millrace, RxJS, a peer that is not set up, and one that fails", () => {
  let lines: readonly Line[];

  beforeAll(async () => {
    const cases = peers.groups.flatMap((group) => group.cases);
    const [millrace, ...rxjs] = cases.filter(({ case: name }) => /^(millrace|rxjs)/.test(name));
    const bed = await Bed.open();
    try {
      lines = await runGroup(
        { cases: [millrace, absent, ...rxjs, wrong].flatMap((each) => each ?? []) },
        {
          rounds: 1,
          scale: 0.002,
          minutes: 1,
          rate: 1,
          signal: new AbortController().signal,
          logger: createLogger("test", { level: "silent", format: "json" }),
          bed: () => Promise.resolve(bed),
        },
      );
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
      notRun: expect.stringContaining("peers/set-up.sh"),
    });
    const failed = lines.find((line) => line.case === "wrong");
    expect(failed).toHaveProperty("notRun", expect.stringContaining("out of order"));
  });

  test("reads as a table with a row for each", () => {
    const rows = markdownTable(peers.columns, lines).split("\n").slice(2);
    expect(rows).toHaveLength(lines.length);
    expect(rows[1]).toMatch(/^\| Absent .* It is not set up.* +\|$/);
  });
});
