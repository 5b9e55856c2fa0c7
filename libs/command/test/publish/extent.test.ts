import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { extentOf } from "../../src/publish/extent.ts";

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "millrace-test-"));
});

afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

test.each<readonly [what: string, content: string | Uint8Array, total: number | undefined]>([
  ["nothing", "", 0],
  ["lines", "one\ntwo\n", 8],
  ["many lines", "line\n".repeat(500_000), 2_500_000],
  ["a short compressed text", gzipSync("one\n"), undefined],
  ["a long compressed text", gzipSync("line\n".repeat(500_000)), undefined],
  ["UTF-16", Buffer.from("\ufeff{}\n", "utf16le"), undefined],
])("the extent of a file is its size in bytes if it is plain text: %s", async (_, content, total) => {
  const path = join(folder, "lines");
  await writeFile(path, content);
  expect((await extentOf(path))?.total).toBe(total);
});

test("an input that can be read only once is not opened", async () => {
  expect(await extentOf("/dev/null")).toBeUndefined();
});
