import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Redis } from "ioredis";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { freePort, startRedis } from "@millrace/local-redis";
import type { LocalRedis } from "@millrace/local-redis";
import { clickLine } from "./support/clicks.ts";
import { aggregator, aggregatorCommand, publisher } from "./support/programs.ts";

let redis: LocalRedis;

beforeAll(async () => {
  redis = await startRedis();
});

afterAll(async () => {
  await redis.stop();
});

describe("the aggregator", () => {
  test.each(["SIGINT", "SIGTERM"] as const)("on %s emits what it has and exits with 0", async (signal) => {
    const channel = `--channel=${signal}`;
    const counting = aggregator(redis.url, ["--window=tumbling:10000d", "--meta", channel]);
    await publisher(redis.url, "-", [channel], `${clickLine()}\n${clickLine()}\n`).ended;
    counting.kill(signal);
    counting.kill("SIGTERM");
    const { code, output } = await counting.ended;
    expect(code).toBe(0);
    expect(output.map((line): unknown => JSON.parse(line))).toEqual([
      expect.objectContaining({ timezone: "Europe/Madrid", num_mobile_users: 2, cause: "drain" }),
    ]);
  });

  test("appends late and refused events to the file that --late names", async () => {
    const folder = await mkdtemp(join(tmpdir(), "millrace-late-"));
    try {
      const file = join(folder, "late.jsonl");
      const args = ["--transport=stream", "--channel=late", "--window=tumbling:1s", "--clock=publish:0s"];
      const client = new Redis(redis.url);
      // The entries' ids are their times: the last one is of a window that has closed.
      const zones = [
        ["Europe/Madrid", 1_000],
        ["Asia/Tokyo", 5_000],
      ] as const;
      for (const [zone, id] of zones)
        await client.xadd("late", `${id}-0`, "data", clickLine({ os_timezone: zone }));
      const header = `#millrace/1 p 0 1 1500`;
      await client.xadd("late", "6000-0", "data", `${header}\n${clickLine({ os_timezone: "Asia/Kolkata" })}`);
      const ahead = Date.now() + 3_600_000;
      await client.xadd("late", `${ahead}-0`, "data", clickLine());
      client.disconnect();
      const counting = aggregator(redis.url, [...args, `--late=${file}`, "--exit-when-idle=300ms"]);
      const { code, report } = await counting.ended.then(async (ended) => ({
        ...ended,
        report: await readFile(file, "utf8"),
      }));
      expect(code).toBe(0);
      expect(
        report
          .trim()
          .split("\n")
          .map((line): unknown => JSON.parse(line)),
      ).toEqual([
        expect.objectContaining({ key: "Asia/Kolkata", timestamp: 1_500, watermark: 5_000 }),
        expect.objectContaining({ key: "Europe/Madrid", timestamp: ahead, reason: "future-timestamp" }),
      ]);
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  test.each(["echo", "../examples/systems.ts"])(
    "refuses --late for %s, which has no use for it",
    async (flow) => {
      const file = join(tmpdir(), `millrace-not-late-${process.pid}.jsonl`);
      const { code, complaints } = await aggregatorCommand([`--flow=${flow}`, `--late=${file}`], {
        REDIS_URL: redis.url,
      }).ended;
      expect(code).toBe(2);
      expect(complaints[0]).toMatch(/^aggregator: --late would write nothing: the flow .* does not use it/);
      expect(existsSync(file)).toBe(false);
    },
  );

  test("counts events above its limit of keys under one key", async () => {
    const channel = "--channel=bounded";
    const args = [
      "--window=tumbling:10000d",
      "--max-keys=2",
      "--exit-when-idle=300ms",
      "--close-windows",
      channel,
    ];
    const counting = aggregator(redis.url, args);
    const zones = ["A", "B", "C", "D", "A"].map((zone) => clickLine({ os_timezone: zone }));
    await publisher(redis.url, "-", [channel], `${zones.join("\n")}\n`).ended;
    const { code, output } = await counting.ended;
    expect(code).toBe(0);
    expect(output.map((line): unknown => JSON.parse(line))).toEqual(
      expect.arrayContaining([
        { timezone: "A", num_mobile_users: 2 },
        { timezone: "B", num_mobile_users: 1 },
        { timezone: "(overflow)", num_mobile_users: 2 },
      ]),
    );
  });

  test("survives the loss of its Redis, logs it, and continues to count", async () => {
    const fragile = await startRedis();
    try {
      const counting = aggregator(fragile.url, ["--window=tumbling:200ms"]);
      await publisher(fragile.url, "-", [], `${clickLine()}\n`).ended;
      await counting.printed((line) => line.includes("Europe/Madrid"));
      await fragile.kill();
      await counting.logged("redis-lost");
      await fragile.restart();
      await counting.logged("redis-back");
      await publisher(fragile.url, "-", [], `${clickLine({ os_timezone: "UTC" })}\n`).ended;
      await counting.printed((line) => line === '{"timezone":"UTC","num_mobile_users":1}');
      counting.kill("SIGTERM");
      expect((await counting.ended).code).toBe(0);
    } finally {
      await fragile.stop();
    }
  });

  test("reports within seconds that there is no Redis, with the address", async () => {
    const port = await freePort();
    const { code, log, output } = await aggregator(`redis://127.0.0.1:${port}`, ["--connect-timeout=500ms"])
      .ended;
    expect(code).toBe(1);
    expect(output).toEqual([]);
    expect(log.at(-1)).toMatchObject({ level: "error", code: "MILLRACE_REDIS_UNREACHABLE" });
    expect(log.at(-1)?.msg).toContain(`127.0.0.1:${port}`);
  });

  test("never logs a password", async () => {
    const port = await freePort();
    const url = `redis://ann:hush@127.0.0.1:${port}`;
    const end = await aggregator(url, ["--connect-timeout=500ms", "--log-level=debug"]).ended;
    expect(JSON.stringify(end)).toContain(`127.0.0.1:${port}`);
    expect(JSON.stringify(end)).not.toContain("hush");
  });

  test("names an invalid option and exits with 2", async () => {
    const { code, complaints } = await aggregator(redis.url, ["--window=often"]).ended;
    expect(code).toBe(2);
    expect(complaints[0]).toMatch(/^aggregator: --window: "often" is not a window/);
  });
});
