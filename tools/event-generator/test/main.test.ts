import { afterAll, describe, expect, test } from "@jest/globals";
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const root = join(import.meta.dirname, "../../..");
const folder = mkdtempSync(join(tmpdir(), "millrace-events-"));
afterAll(() => {
  rmSync(folder, { recursive: true });
});

function generator(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  const main = join(root, "tools/event-generator/dist/main.js");
  return spawnSync(process.execPath, [main, ...args], { cwd: root, encoding: "utf8" });
}

function sha256(file: string): string {
  return createHash("sha256").update(readFileSync(file)).digest("hex");
}

describe("event-generator", () => {
  test("generates data/events.jsonl byte for byte", () => {
    const file = join(folder, "events.jsonl");
    expect(generator("--out", file)).toMatchObject({ status: 0, stdout: "" });
    expect(sha256(file)).toBe(sha256(join(root, "data/events.jsonl")));
  });

  test("writes only the requested events to stdout", () => {
    const { status, stdout, stderr } = generator("--events", "1234", "--seed", "5", "--out", "-");
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    expect(stdout.endsWith("}\n")).toBe(true);
    expect(stdout.trimEnd().split("\n")).toHaveLength(1_234);
  });

  test.each([
    [["--events", "many"], "--events"],
    [["--seed=-1"], "--seed"],
    [["--out", "/no/such/folder/events.jsonl"], "/no/such/folder/events.jsonl"],
  ])("refuses %p in one sentence with the name of the option", (args, name) => {
    const { status, stderr } = generator(...args);
    expect(status).toBe(1);
    expect(stderr).toContain(name);
    expect(stderr.trim().split("\n")).toHaveLength(1);
  });
});
