import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { startRedis } from "@millrace/local-redis";
import type { LocalRedis } from "@millrace/local-redis";
import { aggregator, publisher } from "./support/programs.ts";

const EVENTS = join(import.meta.dirname, "../../../data/events.jsonl");
const LINES = readFileSync(EVENTS, "utf8").split("\n", 200).join("\n");

let redis: LocalRedis;

beforeAll(async () => {
  redis = await startRedis();
});

afterAll(async () => {
  await redis.stop();
});

// Warnings of Node (process.emitWarning) are on standard error, as the log is.
test.each(["pubsub", "sharded", "stream"])(
  "20 partitions of %s need no warning of Node",
  async (transport) => {
    const common = [`--transport=${transport}`, `--channel=many-${transport}`, "--partitions=20"];
    const reading = aggregator(redis.url, [
      ...common,
      "--sink=redis",
      "--idle-from=start",
      "--exit-when-idle=4s",
    ]);
    await reading.logged(transport === "stream" ? "reading" : "subscribed");
    const publishing = publisher(redis.url, "-", [...common, "--producer=shop"], LINES);
    const [written, read] = await Promise.all([publishing.ended, reading.ended]);
    expect([written.code, read.code]).toEqual([0, 0]);
    expect(written.complaints).toEqual([]);
    expect(read.complaints).toEqual([]);
  },
);
