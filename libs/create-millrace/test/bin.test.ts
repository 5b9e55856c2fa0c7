import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";

const BIN = join(import.meta.dirname, "../dist/bin.js");

let cwd: string;
beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), "create-millrace-"));
});
afterEach(() => {
  rmSync(cwd, { recursive: true });
});

function create(...args: readonly string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [BIN, ...args], {
    cwd,
    encoding: "utf8",
    env: { ...process.env, NODE_OPTIONS: "" },
    stdio: ["ignore", "pipe", "pipe"],
  });
  return { status, stdout, stderr };
}

describe("create-millrace", () => {
  it("asks nothing when a folder is given, and says what to do next", () => {
    const { status, stdout, stderr } = create("visits");
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    expect(stdout).toContain("Created visits. Next:\n\n  cd visits\n  npm install\n");
    expect(readdirSync(join(cwd, "visits"))).toContain("flow.ts");
    expect(create(".")).toMatchObject({ status: 1, stderr: expect.stringContaining("is not empty") });
  });

  it("shows its help", () => {
    expect(create("--help")).toMatchObject({
      status: 0,
      stdout: expect.stringContaining("Usage: npm create millrace@latest"),
    });
    expect(readdirSync(cwd)).toEqual([]);
  });

  it.each([
    [["--colour"], "--colour"],
    [["a", "b"], "one folder is expected, not a b"],
    [[], "the folder is missing, and there is no terminal to ask for it"],
  ])("refuses the arguments %j with exit code 2 and the usage", (args, message) => {
    const { status, stdout, stderr } = create(...args);
    expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
    expect(stderr).toContain(message);
    expect(stderr).toContain("Usage:");
    expect(readdirSync(cwd)).toEqual([]);
  });
});
