import { createLogger } from "@millrace/cli";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { pythonSetUp, setUpOnce } from "../src/lab/set-up.ts";

const logger = createLogger("test", { level: "silent", format: "json" });
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "millrace-bench-"));
});

afterAll(() => rm(folder, { recursive: true }));

test("a peer is set up once, and anew when what it is made from has changed", async () => {
  const made: string[] = [];
  const setUp = (madeFrom: string): Promise<void> =>
    setUpOnce(join(folder, "changes"), madeFrom, logger, () => {
      made.push(madeFrom);
      return Promise.resolve();
    });
  for (const madeFrom of ["1.0", "1.0", "1.1", "1.1"]) await setUp(madeFrom);
  expect(made).toEqual(["1.0", "1.1"]);
});

test("a set-up that failed is tried again", async () => {
  const setUp = (work: () => Promise<void>): Promise<void> =>
    setUpOnce(join(folder, "fails"), "1.0", logger, work);
  await expect(setUp(() => Promise.reject(new Error("no network")))).rejects.toThrow("no network");
  let again = false;
  await setUp(() => {
    again = true;
    return Promise.resolve();
  });
  expect(again).toBe(true);
});

test("a toolchain that is not there is reported by its name", async () => {
  const setUp = pythonSetUp({
    name: "never",
    folder: "redis-py",
    requirements: "requirements.txt",
    package: "redis",
    args: [],
    python: "no-such-python",
  });
  const { signal } = new AbortController();
  await expect(setUp({ signal, logger })).rejects.toThrow("no-such-python: not found");
});
