import { afterEach, describe, expect, test } from "@jest/globals";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "../src/free-port.ts";
import { startRedis } from "../src/start-redis.ts";
import type { LocalRedis, LocalRedisOptions } from "../src/start-redis.ts";
import { command, isAlive, until } from "./helpers.ts";

const started: LocalRedis[] = [];
async function start(options?: LocalRedisOptions): Promise<LocalRedis> {
  const redis = await startRedis(options);
  started.push(redis);
  return redis;
}
const folders: string[] = [];
afterEach(async () => {
  await Promise.all(started.splice(0).map((redis) => redis.stop()));
  await Promise.all(folders.splice(0).map((folder) => rm(folder, { recursive: true })));
});

describe("startRedis", () => {
  test("resolves when the server answers, on a free loopback port", async () => {
    const [one, two] = await Promise.all([start(), start()]);
    expect(one.port).not.toBe(two.port);
    expect(one.url).toBe(`redis://127.0.0.1:${one.port}`);
    await expect(command(one, "PING")).resolves.toBe("PONG");
    await expect(command(two, "INFO", "server")).resolves.toContain(`process_id:${two.pid}`);
  });

  test("persists nothing by default", async () => {
    const redis = await start();
    const persistence = await command(redis, "INFO", "persistence");
    expect(persistence).toContain("aof_enabled:0");
    await command(redis, "SET", "key", "value");
    await redis.restart();
    await expect(command(redis, "EXISTS", "key")).resolves.toBe("0");
  });

  test("requires the given password, and has it in the url", async () => {
    const redis = await start({ password: "p@ss word" });
    expect(redis.url).toBe(`redis://:p%40ss%20word@127.0.0.1:${redis.port}`);
    await expect(command(redis, "PING")).rejects.toThrow("NOAUTH");
    await expect(
      command({ host: redis.host, port: redis.port, password: "p@ss word" }, "PING"),
    ).resolves.toBe("PONG");
  });

  test("refuses a port on which another process listens, even if that is another Redis", async () => {
    const [open, guarded] = await Promise.all([start(), start({ password: "secret" })]);
    for (const { port } of [open, guarded]) {
      await expect(startRedis({ port })).rejects.toMatchObject({ code: "REDIS_PORT_TAKEN" });
      await expect(startRedis({ port, password: "mine" })).rejects.toMatchObject({
        code: "REDIS_PORT_TAKEN",
      });
    }

    const stranger = createServer((socket) => socket.resume());
    await new Promise<void>((resolve) => stranger.listen(0, "127.0.0.1", resolve));
    const address = stranger.address();
    if (address === null || typeof address === "string") throw new TypeError("no port");
    await expect(startRedis({ port: address.port })).rejects.toMatchObject({ code: "REDIS_PORT_TAKEN" });
    await new Promise((resolve) => stranger.close(resolve));
  });

  test("reports the server's log when it does not start", async () => {
    await expect(startRedis({ args: ["--no-such-option", "1"] })).rejects.toMatchObject({
      code: "REDIS_START_FAILED",
      message: expect.stringContaining("no-such-option"),
    });
  });

  test("cancels a start, and stops a server, when the signal aborts", async () => {
    await expect(startRedis({ signal: AbortSignal.abort(new Error("enough")) })).rejects.toThrow("enough");

    const controller = new AbortController();
    const redis = await start({ signal: controller.signal });
    controller.abort();
    await until("the server is gone", () => !isAlive(redis.pid));
  });
});

describe("stop", () => {
  test("leaves neither process nor directory, after any number of calls", async () => {
    const redis = await start();
    expect(existsSync(redis.dir)).toBe(true);
    await Promise.all([redis.stop(), redis.stop()]);
    await redis.stop();
    expect(isAlive(redis.pid)).toBe(false);
    expect(existsSync(redis.dir)).toBe(false);
    await expect(redis.restart()).rejects.toMatchObject({ code: "REDIS_STOPPED" });
  });

  test("ends a server that is suspended", async () => {
    const redis = await start();
    await redis.kill("SIGSTOP");
    await redis.stop();
    expect(isAlive(redis.pid)).toBe(false);
  });

  test("is what the end of an `await using` block calls", async () => {
    const redis = await start();
    await redis[Symbol.asyncDispose]();
    expect(isAlive(redis.pid)).toBe(false);
  });
});

describe("kept data", () => {
  const persistent = ["--appendonly", "yes", "--appendfsync", "always"];

  test("survives a kill and a restart on the same port", async () => {
    const redis = await start({ args: persistent });
    const { port, pid, dir } = redis;
    await command(redis, "SET", "key", "value");
    await redis.kill();
    await expect(command({ host: redis.host, port }, "PING")).rejects.toThrow("ECONNREFUSED");
    await redis.restart();
    await expect(command({ host: redis.host, port }, "GET", "key")).resolves.toBe("value");
    expect(redis.pid).not.toBe(pid);
    expect(redis.dir).toBe(dir);
    await redis.stop();
    expect(existsSync(dir)).toBe(false);
  });

  test("stays in a directory that was given, for the next server", async () => {
    const dir = await mkdtemp(join(tmpdir(), "millrace-kept-"));
    folders.push(dir);
    const port = await freePort();
    const first = await start({ dir, port, args: persistent });
    await command(first, "SET", "key", "value");
    await first.stop();
    const second = await start({ dir, port, args: persistent });
    await expect(command(second, "GET", "key")).resolves.toBe("value");
    await second.stop();
    expect(existsSync(join(dir, "appendonlydir"))).toBe(true);
  });
});
