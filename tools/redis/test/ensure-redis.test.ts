import { afterEach, describe, expect, test } from "@jest/globals";
import { spawn } from "node:child_process";
import type { ChildProcessByStdio } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { startRedis } from "../src/start-redis.ts";
import { freePort } from "../src/free-port.ts";
import { command, until } from "./helpers.ts";

interface Guest {
  readonly child: ChildProcessByStdio<null, Readable, Readable>;
  readonly text: () => string;
}

const guests: Guest[] = [];
afterEach(async () => {
  await Promise.all(guests.splice(0).map(end));
});

/** What programs of the workspace preload: the source. The build does the same, and starts in a third of the time. */
const SOURCE = [
  "--conditions=@millrace/source",
  "--import",
  "tsx",
  "--import",
  inProject("src/ensure-redis.ts"),
];
const BUILD = ["--import", inProject("dist/ensure-redis.js")];

function inProject(file: string): string {
  return join(import.meta.dirname, "..", file);
}

/** Starts a program with `ensure-redis` preloaded. */
function guest(
  env: Readonly<Record<string, string>>,
  args: readonly string[] = [],
  preloaded: readonly string[] = BUILD,
): Guest {
  const child = spawn(process.execPath, [...preloaded, inProject("test/programs/guest.mjs"), ...args], {
    env: { ...process.env, REDIS_URL: "", REDIS_HOST: "", REDIS_SENTINELS: "", REDIS_PASSWORD: "", ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let text = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
  }
  const started = { child, text: () => text };
  guests.push(started);
  return started;
}

async function says(started: Guest, what: string): Promise<void> {
  await until(`it says ${what}`, () => started.text().includes(what));
}

async function end({ child }: Guest): Promise<number | null> {
  const ended = child.exitCode === null ? once(child, "exit") : undefined;
  child.kill("SIGTERM");
  await ended;
  return child.exitCode;
}

describe("a program with ensure-redis preloaded", () => {
  test("gets none if its options name no Redis", async () => {
    const started = guest({ REDIS_PORT: String(await freePort()), GUEST_NEEDS: "nothing" });
    await says(started, "ECONNREFUSED");
    expect(started.text()).not.toContain("redis:");
  });

  test("gets no new one if it needs one that exists", async () => {
    const port = await freePort();
    const started = guest({ REDIS_PORT: String(port), GUEST_NEEDS: "existing" });
    await says(started, "ECONNREFUSED");
    expect(started.text()).not.toContain("redis:");
    await using _server = await startRedis({ port });
    const other = guest({ REDIS_PORT: String(port), GUEST_NEEDS: "existing" });
    await says(other, "PONG");
  });

  test("gets a Redis that others share, and that ends with it", async () => {
    const port = await freePort();
    const owner = guest({ REDIS_PORT: String(port) }, [], SOURCE);
    await says(owner, "PONG");
    expect(owner.text()).toContain(`redis: started on localhost:${port}`);
    const other = guest({ REDIS_PORT: String(port) });
    await says(other, "PONG");
    const whose = `programs/guest.mjs (process ${owner.child.pid})`;
    expect(other.text()).toContain(`redis: using the one on localhost:${port} that `);
    expect(other.text()).toContain(`${whose} has started; it ends with that program`);
    await expect(end(owner)).resolves.toBe(0);
    await says(other, `${whose} and has ended with it; waiting for another one there`);
    expect(other.child.exitCode).toBeNull();
    await until("the Redis is gone", () =>
      command({ host: "127.0.0.1", port }, "PING").then(
        () => false,
        () => true,
      ),
    );
  });

  test("logs nothing about the end of a Redis without an owner, nor of its own", async () => {
    const dir = await mkdtemp(join(tmpdir(), "millrace-test-"));
    const redis = await startRedis({ dir });
    const started = guest({ REDIS_PORT: String(redis.port) });
    await says(started, "PONG");
    expect(started.text()).not.toContain("redis:");
    await redis.stop();
    await rm(dir, { recursive: true });
    const port = await freePort();
    const owner = guest({ REDIS_PORT: String(port) });
    await says(owner, "PONG");
    const stopping = guest({ REDIS_PORT: String(port), GUEST_STOPS: "1" });
    await says(stopping, "PONG");
    await end(owner);
    await says(stopping, "gone\ngone\ngone");
    expect(stopping.text()).not.toContain("waiting");
  });

  test.each([
    ["the environment", { REDIS_HOST: "127.0.0.1" }, []],
    ["Sentinels in the environment", { REDIS_SENTINELS: "127.0.0.1:26379" }, []],
    ["a flag", {}, ["--redis-host=127.0.0.1"]],
  ])("starts none because of %s", async (_why, env, args) => {
    const started = guest({ REDIS_PORT: String(await freePort()), ...env }, args);
    await says(started, "ECONNREFUSED");
    expect(started.text()).not.toContain("redis:");
  });

  test("starts none for a program that refuses its options", async () => {
    const port = await freePort();
    const started = guest({ REDIS_PORT: String(port) }, ["--bogus"]);
    await says(started, "unknown option --bogus");
    if (started.child.exitCode === null) await once(started.child, "exit");
    expect(started.child.exitCode).toBe(2);
    expect(started.text()).not.toContain("redis:");
  });

  test("gets a Redis with the password that the program uses", async () => {
    const port = await freePort();
    const owner = guest({ REDIS_PORT: String(port), GUEST_PASSWORD: "s3cret" });
    await says(owner, "PONG");
    await expect(command({ host: "127.0.0.1", port }, "PING")).rejects.toThrow("NOAUTH");
  });

  test("reports what to do if none can be started, and does not begin", async () => {
    const started = guest({ REDIS_PORT: String(await freePort()), REDIS_SERVER: "/nowhere/redis-server" });
    await says(started, "/nowhere/redis-server");
    if (started.child.exitCode === null) await once(started.child, "exit");
    expect(started.child.exitCode).toBe(1);
    expect(started.text()).not.toContain("ECONNREFUSED");
  });
});
