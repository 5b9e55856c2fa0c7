import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { expect, test } from "@jest/globals";
import { endedCpuMicros, familyOf, usageOf } from "../src/lab/usage.ts";

(existsSync("/proc/self/stat") ? test : test.skip)(
  "a process and its children are measured together",
  async () => {
    const before = await endedCpuMicros();
    const busy = "const end = Date.now() + 200; while (Date.now() < end); process.stdin.resume();";
    const child = spawn(process.execPath, ["-e", `console.log("up"); ${busy}`]);
    await once(child.stdout, "data");
    const { pid = 0 } = child;
    expect(await familyOf(process.pid)).toEqual(expect.arrayContaining([process.pid, pid]));
    expect(await familyOf(pid)).toEqual([pid]);
    const [one, both] = [await usageOf([pid]), await usageOf([pid, process.pid])];
    expect(both.residentMiB).toBeGreaterThan(one.residentMiB);
    child.stdin.end();
    await once(child, "exit");
    expect(await endedCpuMicros()).toBeGreaterThan(before);
  },
);
