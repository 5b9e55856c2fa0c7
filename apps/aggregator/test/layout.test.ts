import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { Redis } from "ioredis";
import { startRedis } from "@millrace/local-redis";
import type { LocalRedis } from "@millrace/local-redis";
import { aggregator, publisher } from "./support/programs.ts";

const EVENTS = join(import.meta.dirname, "../../../data/events.jsonl");
/** Enough for all partitions. */
const LINES = readFileSync(EVENTS, "utf8").split("\n", 400).join("\n");
const DIFFERS = "MILLRACE_REDIS_LAYOUT_DIFFERS";

let redis: LocalRedis;

beforeAll(async () => {
  redis = await startRedis();
});

afterAll(async () => {
  await redis.stop();
});

function on(transport: string, channel: string, partitions: number, field = "os_timezone"): string[] {
  return [
    `--transport=${transport}`,
    `--channel=${channel}`,
    `--partitions=${partitions}`,
    `--partition-by=${field}`,
  ];
}

describe("programs that divide events differently", () => {
  test.each([
    ["4 partitions read as 2", on("stream", "fewer", 4), on("stream", "fewer", 2)],
    ["4 partitions read as 1", on("stream", "one", 4), on("stream", "one", 1)],
    ["partitions by another field", on("stream", "field", 4, "device_type"), on("stream", "field", 4)],
  ])("are refused with the reason: %s", async (_, written, read) => {
    expect((await publisher(redis.url, "-", written, LINES).ended).code).toBe(0);
    for (const program of [aggregator(redis.url, read), publisher(redis.url, "-", read, LINES)]) {
      const { code, log, output } = await program.ended;
      expect(code).toBe(1);
      expect(output).toEqual([]);
      expect(log.at(-1)).toMatchObject({ level: "error", code: DIFFERS });
      expect(log.at(-1)?.msg).toMatch(
        /4 partitions by field "(os_timezone|device_type)".*(2 partitions|1 partition|"os_timezone")/,
      );
    }
    const same = aggregator(redis.url, [...written, "--flow=echo", "--exit-when-idle=300ms"]);
    expect((await same.ended).code).toBe(0);
    expect(await same.logged("report")).toMatchObject({ received: 400, lost: 0 });
  });

  test.each([
    ["bare lines", []],
    ["frames", ["--batch=64"]],
  ])(
    "are refused with the reason while they run: %s on Pub/Sub, if the reader began first",
    async (name, packing) => {
      const channel = name.replace(" ", "-");
      const reading = aggregator(redis.url, on("pubsub", channel, 2));
      await reading.logged("subscribed");
      const writing = [...on("pubsub", channel, 4), ...packing, "--wait-for-subscriber=0"];
      const publishing = publisher(redis.url, EVENTS, writing);
      const { code, log } = await reading.ended;
      expect(code).toBe(1);
      expect(log.at(-1)).toMatchObject({ code: DIFFERS });
      expect((await publishing.ended).code).toBe(0);
    },
  );

  test("are changed on purpose", async () => {
    const [four, two] = [on("stream", "changed", 4), on("stream", "changed", 2)];
    expect((await publisher(redis.url, "-", four, LINES).ended).code).toBe(0);
    expect((await publisher(redis.url, "-", [...two, "--relayout"], LINES).ended).code).toBe(0);
    expect((await publisher(redis.url, "-", four, LINES).ended).code).toBe(1);
  });

  test("are refused before they take a task over from another worker", async () => {
    const two = on("stream", "healthy", 2);
    const healthy = aggregator(redis.url, [...two, "--sink=redis", "--exit-when-idle=1s"]);
    await healthy.logged("reading", ({ stream }) => stream === "{healthy:1}");
    const publishing = publisher(redis.url, EVENTS, [
      ...two,
      "--loop",
      "--rate=500",
      "--progress-every=100ms",
    ]);
    await publishing.logged("progress");
    const other = aggregator(redis.url, [...on("stream", "healthy", 4), "--sink=redis"]);
    expect((await other.ended).code).toBe(1);
    publishing.kill("SIGTERM");
    expect((await publishing.ended).code).toBe(0);
    expect((await healthy.ended).code).toBe(0);
    const { published } = await publishing.logged("report");
    expect(await healthy.logged("report")).toMatchObject({ received: published, unaccounted: 0 });
  });
});

test("a worker logs which partitions it leaves out", async () => {
  const args = [...on("stream", "shared", 4), "--tasks=0,2", "--exit-when-idle=200ms"];
  const working = aggregator(redis.url, args);
  expect(await working.logged("partitions-left-out")).toMatchObject({
    leftOut: ["{shared:1}", "{shared:3}"],
    partitions: 4,
  });
  working.kill("SIGTERM");
  expect((await working.ended).code).toBe(0);
});

test("a consumer group of another program is refused, and --group is the remedy", async () => {
  const stream = ["--transport=stream", "--channel=grouped"];
  expect((await publisher(redis.url, "-", stream, LINES).ended).code).toBe(0);
  const client = new Redis(redis.url);
  await client.xgroup("CREATE", "grouped", "mobile_counts", "0");
  client.disconnect();
  const { code, log } = await aggregator(redis.url, stream).ended;
  expect(code).toBe(1);
  expect(log.at(-1)).toMatchObject({ code: "MILLRACE_REDIS_GROUP_TAKEN" });
  const other = aggregator(redis.url, [...stream, "--group=mine", "--exit-when-idle=300ms"]);
  expect((await other.ended).code).toBe(0);
});
