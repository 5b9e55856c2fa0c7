import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { countLines } from "../../src/publish/count-lines.ts";

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "millrace-test-"));
});

afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

test.each([
  ["", 0],
  ["one", 1],
  ["one\n", 1],
  ["one\n\n", 2],
  ["one\r\ntwo", 2],
  ["line\n".repeat(500_000), 500_000],
])("countLines counts the lines of %j", async (content, lines) => {
  const path = join(folder, "lines");
  await writeFile(path, content);
  expect(await countLines(path)).toBe(lines);
});

test("countLines does not open an input that can be read only once", async () => {
  expect(await countLines("/dev/null")).toBeUndefined();
});
