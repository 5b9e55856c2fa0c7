import { createLogger } from "@millrace/cli";
import { beforeAll, describe, expect, test } from "@jest/globals";

import { withBed } from "../../src/conductor/with-bed.ts";
import type { Peer } from "../../src/peers/peer.ts";
import { PEERS } from "../../src/peers/peers.ts";
import { runPeers } from "../../src/peers/run-peers.ts";
import type { PeerLine } from "../../src/peers/run-peers.ts";
import { peersTable } from "../../src/peers/table.ts";

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
  let lines: readonly PeerLine[];

  beforeAll(async () => {
    const { signal } = new AbortController();
    const logger = createLogger("test", { level: "silent", format: "json" });
    const rxjs = PEERS.filter(({ case: name }) => name.startsWith("rxjs"));
    await withBed(signal, async (bed) => {
      lines = await runPeers(bed, [absent, ...rxjs, wrong], { rounds: 1, scale: 0.002, signal, logger });
    });
  });

  test("has figures of those whose rows add up", () => {
    expect(lines).toEqual([
      expect.objectContaining({ case: "millrace", contender: "Millrace", rounds: 1 }),
      expect.objectContaining({ case: "absent" }),
      expect.objectContaining({ case: "rxjs-buffer", rounds: 1, ratioToPeer: expect.any(Number) }),
      expect.objectContaining({ case: "rxjs-window", rounds: 1, ratioToPeer: expect.any(Number) }),
      expect.objectContaining({ case: "wrong" }),
    ]);
  });

  test("tells of the others that they were not run, and why", () => {
    expect(lines).toContainEqual({ case: "absent", contender: "Absent", notRun: "cobol: not found" });
    const failed = lines.find((line) => line.case === "wrong");
    expect(failed).toHaveProperty("notRun", expect.stringContaining("out of order"));
  });

  test("reads as a table with a row for each", () => {
    const rows = peersTable(lines).split("\n").slice(2);
    expect(rows).toHaveLength(lines.length);
    expect(rows[1]).toMatch(/^\| Absent .* cobol: not found +\|$/);
  });
});
