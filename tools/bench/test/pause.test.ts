import { expect, test } from "@jest/globals";
import { fork, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";

import { pause } from "../src/lab/consumer.ts";

test("a paused process is not left behind when the one that paused it is killed", async () => {
  const pauser = fork(join(import.meta.dirname, "support/pauser.ts"), {
    execArgv: ["--conditions=@millrace/source", "--import", "tsx"],
    stdio: ["ignore", "pipe", "inherit", "ipc"],
  });
  const [pid] = (await once(pauser, "message")) as [number];
  let killed = false;
  const late = setTimeout(() => {
    killed = process.kill(pid, "SIGKILL");
  }, 20_000);
  pauser.stdout?.resume();
  pauser.kill("SIGKILL");
  // The paused process holds the output as well: it closes when both are gone.
  await once(pauser, "close");
  clearTimeout(late);
  expect(killed).toBe(false);
});

test("a process continues when it is let", async () => {
  const child = spawn("cat", { stdio: ["pipe", "pipe", "inherit"] });
  const goOn = pause(child);
  child.stdin.end("read\n");
  goOn();
  const [data] = (await once(child.stdout, "data")) as [Buffer];
  expect(data.toString()).toBe("read\n");
});
