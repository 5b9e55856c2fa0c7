import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort, startRedis } from "@millrace/local-redis";
import type { LocalRedis } from "@millrace/local-redis";
import { publisher } from "./support/programs.ts";

let redis: LocalRedis;
let folder: string;
let file: string;

beforeAll(async () => {
  redis = await startRedis();
  folder = await mkdtemp(join(tmpdir(), "millrace-test-"));
  file = join(folder, "events.jsonl");
  await writeFile(file, '{"n":1}\n{"n":2}\n{"n":3}\n');
});

afterAll(async () => {
  await redis.stop();
  await rm(folder, { recursive: true, force: true });
});

describe("the publisher", () => {
  test("warns that nobody listens, publishes all the same, and tells how much was heard by nobody", async () => {
    const { code, log, output } = await publisher(redis.url, file, ["--wait-for-subscriber=0.1"]).ended;
    expect(code).toBe(0);
    expect(output).toEqual([]);
    const events = log.map(({ event }) => event);
    expect(events).toEqual(["starting", "no-subscriber", "progress", "report", "unheard"]);
    expect(log[3]).toMatchObject({ read: 3, published: 3, unheard: 3, bytes: 21 });
  });

  test("loops at its rate until it is stopped, and then exits with 0", async () => {
    const args = ["--loop", "--rate=200", "--wait-for-subscriber=0", "--progress-every=0.1"];
    const publishing = publisher(redis.url, file, args);
    await publishing.logged("progress", ({ done }) => Number(done) > 3);
    publishing.kill("SIGINT");
    const { code } = await publishing.ended;
    expect(code).toBe(0);
    const { published, perSecond } = await publishing.logged("report");
    expect(published).toBeGreaterThan(3);
    expect(perSecond).toBeLessThanOrEqual(300);
  });

  test("can be stopped while it waits for a subscriber", async () => {
    const publishing = publisher(redis.url, file, ["--wait-for-subscriber=600"]);
    await publishing.logged("starting");
    publishing.kill("SIGTERM");
    const { code, log } = await publishing.ended;
    expect(code).toBe(0);
    expect(log.map(({ event }) => event)).toEqual(["starting", "stopping"]);
  });

  test("says that there is no Redis, and where it looked", async () => {
    const port = await freePort();
    const { code, log } = await publisher(`redis://127.0.0.1:${port}`, file, ["--connect-timeout=0.3"]).ended;
    expect(code).toBe(1);
    expect(log.at(-1)).toMatchObject({ level: "error", code: "MILLRACE_REDIS_UNREACHABLE" });
    expect(log.at(-1)?.msg).toContain(`127.0.0.1:${port}`);
  });

  test("names a bad variable and exits with 2", async () => {
    const { code, complaints } = await publisher(redis.url, join(folder, "missing.jsonl")).ended;
    expect(code).toBe(2);
    expect(complaints[0]).toMatch(/^publisher: EVENTS_JSONL_FILE: there is no file .*missing\.jsonl/);
  });
});
