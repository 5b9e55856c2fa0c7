import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { startKafka, whyWithoutKafka } from "@millrace/local-kafka";
import type { LocalKafka } from "@millrace/local-kafka";
import { startRedis } from "@millrace/local-redis";
import type { LocalRedis } from "@millrace/local-redis";
import { keptRows, sumsOf, sumsOfLines } from "./support/kept-results.ts";
import { aggregator, aggregatorCommand, publisher } from "./support/programs.ts";

const EVENTS = join(import.meta.dirname, "../../../data/events.jsonl");
const LINES = readFileSync(EVENTS, "utf8").trimEnd().split("\n");
const PARTITIONS = 3;

const without = whyWithoutKafka();

if (without !== undefined) test.skip(`publisher and aggregator over Kafka. ${without}`, () => undefined);
else {
  describe("publisher and aggregator over Kafka", () => {
    let redis: LocalRedis;
    let kafka: LocalKafka;

    beforeAll(async () => {
      [redis, kafka] = await Promise.all([startRedis(), startKafka()]);
      const topic = ["--create", "--topic", "clicks", "--partitions", String(PARTITIONS)];
      const args = ["--bootstrap-server", kafka.broker, ...topic];
      await kafka.run({ main: "org.apache.kafka.tools.TopicCommand", args });
    });

    afterAll(async () => {
      await Promise.all([redis.stop(), kafka.stop()]);
    });

    test("after a SIGKILL under load the next run continues, and the results in Redis are exact", async () => {
      const topic = ["--transport=kafka", `--brokers=${kafka.broker}`, "--channel=clicks"];
      const counting = [...topic, "--sink=redis", "--window=tumbling:200ms", "--clock=publish:100ms"];
      const first = aggregator(redis.url, counting);
      for (let part = 0; part < PARTITIONS; part += 1) await first.logged("reading");
      const publishing = publisher(redis.url, EVENTS, [...topic, "--rate=5000"]);
      const parts = Array.from({ length: PARTITIONS }, (_, part) => `clicks-${part}`);
      const rowsOf = async (): ReturnType<typeof keptRows> => keptRows(redis.url, parts);
      while ((await rowsOf()).flat().length === 0);
      first.kill("SIGKILL");
      expect((await first.ended).code).toBe(null);
      expect((await publishing.ended).code).toBe(0);
      expect(await publishing.logged("report")).toMatchObject({ published: LINES.length, unsent: 0 });

      const second = aggregator(redis.url, [...counting, "--exit-when-idle=1s", "--close-windows"]);
      expect(await second.logged("reading")).toMatchObject({ resumed: true });
      expect((await second.ended).code).toBe(0);
      expect(await second.logged("report")).toMatchObject({ late: 0, lost: 0, unaccounted: 0 });
      const rows = await rowsOf();
      expect(sumsOf(rows.flat())).toEqual(sumsOfLines(LINES));
      // Each time zone is in one partition only: the publisher writes by the field that the flow counts by.
      const zones = rows.map((ofPart) => new Set(ofPart.map(({ timezone }) => timezone)));
      expect(zones.reduce((sum, { size }) => sum + size, 0)).toBe(
        new Set(zones.flatMap((each) => [...each])).size,
      );

      const inspected = await aggregatorCommand(["inspect", ...topic], { REDIS_URL: redis.url }).ended;
      expect(inspected.output.map((line): unknown => JSON.parse(line))).toMatchObject([
        ...parts.map((part) => ({ part, position: { offset: expect.any(Number) } })),
        { tasks: PARTITIONS },
      ]);
    });

    test("a topic that is not there ends both with the remedy", async () => {
      const args = ["--transport=kafka", `--brokers=${kafka.broker}`, "--channel=nowhere"];
      for (const program of [aggregator(redis.url, args), publisher(redis.url, EVENTS, args)]) {
        const { code, log } = await program.ended;
        expect(code).toBe(1);
        expect(log.at(-1)).toMatchObject({ code: "MILLRACE_KAFKA_TOPIC_MISSING" });
      }
    });
  });
}
