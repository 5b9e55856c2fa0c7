import { describe, expect, test } from "@jest/globals";
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { isAlive, until } from "./helpers.ts";

interface Started {
  readonly starter: ChildProcess;
  /** Lines that the starter prints after the first. */
  readonly lines: AsyncIterator<string, string>;
  readonly redis: { readonly pid: number; readonly dir: string };
}

async function starter(ending: string): Promise<Started> {
  const args = [join(import.meta.dirname, "programs/starter.mjs"), ending];
  // A process group of its own, as a terminal gives to a command.
  const child = spawn(process.execPath, args, { detached: true, stdio: ["ignore", "pipe", "ignore"] });
  const lines: Started["lines"] = createInterface(child.stdout)[Symbol.asyncIterator]();
  const first = await lines.next();
  return { starter: child, lines, redis: JSON.parse(first.value) as Started["redis"] };
}

async function nothingIsLeft({ pid, dir }: Started["redis"]): Promise<void> {
  await until("the server is gone", () => !isAlive(pid));
  await until("the directory is gone", () => !existsSync(dir));
}

describe("a server that its starter does not stop ends with the starter", () => {
  test.each([
    ["end", 0],
    ["exit", 3],
    ["throw", 1],
  ])("that ends by: %s", async (ending, exitCode) => {
    const { starter: child, redis } = await starter(ending);
    if (child.exitCode === null) await once(child, "exit");
    expect(child.exitCode).toBe(exitCode);
    await nothingIsLeft(redis);
  });

  test.each(["SIGTERM", "SIGINT", "SIGHUP", "SIGKILL"] as const)("that gets a %s", async (signal) => {
    const { starter: child, redis } = await starter("wait");
    expect(isAlive(redis.pid)).toBe(true);
    child.kill(signal);
    await once(child, "exit");
    expect(child.signalCode).toBe(signal);
    await nothingIsLeft(redis);
  });
});

test("Ctrl-C reaches the starter's process group, and the server still answers while the starter drains", async () => {
  const { starter: child, lines, redis } = await starter("drain");
  if (child.pid === undefined) throw new Error("no process");
  process.kill(-child.pid, "SIGINT");
  await expect(lines.next()).resolves.toMatchObject({ value: "PONG" });
  await nothingIsLeft(redis);
});
