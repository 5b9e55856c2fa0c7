import { describe, expect, test } from "@jest/globals";
import { spawn } from "node:child_process";
import type { ChildProcessByStdio } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { setImmediate } from "node:timers/promises";
import { freePort } from "../src/free-port.ts";
import { startRedis } from "../src/start-redis.ts";
import { command, until } from "./helpers.ts";

function serve(env: Record<string, string>): ChildProcessByStdio<null, null, Readable> {
  const script = join(import.meta.dirname, "../dist/serve.js");
  // An empty variable counts as not set.
  const none = { REDIS_URL: "", REDIS_HOST: "", REDIS_PASSWORD: "" };
  return spawn(process.execPath, [script], {
    env: { ...process.env, ...none, ...env },
    stdio: ["ignore", "ignore", "pipe"],
  });
}

async function said(child: ChildProcessByStdio<null, null, Readable>, what: string): Promise<void> {
  let text = "";
  child.stderr.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
  await until(`it says ${what}`, () => text.includes(what));
}

async function end(child: ChildProcessByStdio<null, null, Readable>): Promise<number | null> {
  // It has ended by itself.
  if (!child.kill("SIGINT")) return child.exitCode;
  const ended = once(child, "exit");
  // Signals arrive until the process is gone; then `kill` returns false.
  while (child.kill("SIGTERM")) await setImmediate();
  await ended;
  return child.exitCode;
}

describe("serve", () => {
  test("starts a Redis on the port, and stops it on any number of signals", async () => {
    const port = await freePort();
    const child = serve({ REDIS_PORT: String(port) });
    await said(child, `Redis started on localhost:${port}`);
    await expect(command({ host: "localhost", port }, "PING")).resolves.toBe("PONG");
    await expect(end(child)).resolves.toBe(0);
    await expect(command({ host: "localhost", port }, "PING")).rejects.toThrow();
  });

  test("uses a Redis that already answers there, and leaves it running", async () => {
    const redis = await startRedis({ password: "secret" });
    const child = serve({ REDIS_PORT: String(redis.port) });
    await said(child, `using the Redis at localhost:${redis.port}`);
    await expect(end(child)).resolves.toBe(0);
    const { host, port } = redis;
    await expect(command({ host, port, password: "secret" }, "PING")).resolves.toBe("PONG");
    await redis.stop();
  });

  test("uses the Redis that the environment names, without printing its password", async () => {
    const child = serve({ REDIS_URL: "redis://:secret@redis.example:6380/0" });
    await said(child, "using the Redis at redis://redis.example:6380/0");
    await expect(end(child)).resolves.toBe(0);
  });

  test("ends at once with the remedy when there is no server program", async () => {
    const child = serve({ REDIS_PORT: String(await freePort()), PATH: "/nowhere", REDIS_SERVER: "" });
    await said(child, "No redis-server or valkey-server on PATH");
    if (child.exitCode === null) await once(child, "exit");
    expect(child.exitCode).toBe(1);
  });

  test("ends with an error when its Redis ends unexpectedly", async () => {
    const port = await freePort();
    const child = serve({ REDIS_PORT: String(port) });
    await said(child, "Redis started");
    const ended = once(child, "exit");
    await command({ host: "localhost", port }, "SHUTDOWN", "NOSAVE").catch(() => undefined);
    await expect(ended).resolves.toEqual([1, null]);
  });
});
