import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { startKafka, whyWithoutKafka } from "@millrace/local-kafka";
import type { LocalKafka } from "@millrace/local-kafka";
import { startRedis } from "@millrace/local-redis";
import type { LocalRedis } from "@millrace/local-redis";
import { inspectWorkers } from "@millrace/redis-store";
import { eventually, keptRows, sumsOf, sumsOfLines, withRedis } from "./support/kept-results.ts";
import { aggregator, aggregatorCommand, groupWorker, publisher } from "./support/programs.ts";

const EVENTS = join(import.meta.dirname, "../../../data/events.jsonl");
const LINES = readFileSync(EVENTS, "utf8").trimEnd().split("\n");
const PARTITIONS = 3;
/** A broker refuses sessions of less than 6 s. */
const SHORT_SESSIONS = { "group.min.session.timeout.ms": "500" };

const without = whyWithoutKafka();

if (without !== undefined) test.skip(`publisher and aggregator over Kafka. ${without}`, () => undefined);
else {
  describe("publisher and aggregator over Kafka", () => {
    let redis: LocalRedis;
    let kafka: LocalKafka;

    const createTopic = async (name: string, partitions: number): Promise<void> => {
      const topic = ["--create", "--topic", name, "--partitions", String(partitions)];
      const args = ["--bootstrap-server", kafka.broker, ...topic];
      await kafka.run({ main: "org.apache.kafka.tools.TopicCommand", args });
    };

    beforeAll(async () => {
      [redis, kafka] = await Promise.all([startRedis(), startKafka({ properties: SHORT_SESSIONS })]);
      await createTopic("clicks", PARTITIONS);
    });

    afterAll(async () => {
      await Promise.all([redis.stop(), kafka.stop()]);
    });

    test("after a SIGKILL under load the next run continues, and the results in Redis are exact", async () => {
      const topic = ["--transport=kafka", `--brokers=${kafka.broker}`, "--channel=clicks"];
      const counting = [...topic, "--sink=redis", "--window=tumbling:200ms", "--clock=publish:1s"];
      const first = aggregator(redis.url, counting);
      for (let part = 0; part < PARTITIONS; part += 1) await first.logged("reading");
      const publishing = publisher(redis.url, EVENTS, [...topic, "--rate=3000"]);
      const parts = Array.from({ length: PARTITIONS }, (_, part) => `clicks-${part}`);
      const rowsOf = async (): ReturnType<typeof keptRows> => keptRows(redis.url, parts);
      await eventually(async () => (await rowsOf()).flat().length > 0);
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
        ...parts.map((part) => ({ part, lag: 0, position: { offset: expect.any(Number) } })),
        { tasks: PARTITIONS },
      ]);
    });

    test("of three workers that share a topic one is killed and one is stopped under load, and the results in Redis are exact", async () => {
      await createTopic("shared", 8);
      const topic = ["--transport=kafka", `--brokers=${kafka.broker}`, "--channel=shared", "--group=shared"];
      const counting = [...topic, "--sink=redis", "--window=tumbling:200ms", "--clock=publish:1s"];
      const workers = [1, 2, 3].map(() => aggregator(redis.url, [...counting, "--share", "--lease=1s"]));
      const untilShares = (...wanted: readonly number[]): Promise<void> =>
        eventually(async () => {
          const workers = await inspectWorkers({ url: redis.url }, "shared");
          const shares = workers.map(({ parts }) => parts.length);
          return shares.sort((a, b) => a - b).join() === wanted.join();
        });
      await untilShares(2, 3, 3);
      const publishing = publisher(redis.url, EVENTS, [...topic.slice(0, 3), "--rate=3000"]);
      const parts = Array.from({ length: 8 }, (_, part) => `shared-${part}`);
      const rows = async (): ReturnType<typeof keptRows> => keptRows(redis.url, parts);
      await eventually(async () => (await rows()).flat().length > 0);
      const [killed, stopped, last] = workers;
      killed?.kill("SIGKILL");
      stopped?.kill("SIGTERM");
      const { code, log } = (await stopped?.ended) ?? {};
      expect(code).toBe(0);
      expect(log?.find(({ event }) => event === "report")).toMatchObject({ unaccounted: 0, uncommitted: 0 });
      expect((await publishing.ended).code).toBe(0);
      await untilShares(8);
      const inspected = await aggregatorCommand(["inspect", ...topic], { REDIS_URL: redis.url }).ended;
      expect(inspected.output.map((line): unknown => JSON.parse(line))).toMatchObject([
        ...parts.map((part) => ({ part, owner: expect.any(String) })),
        { pid: expect.any(Number), parts: expect.arrayContaining(parts.slice()) },
        { tasks: 8, workers: 1 },
      ]);
      last?.kill("SIGTERM");
      expect((await last?.ended)?.code).toBe(0);
      const closing = aggregator(redis.url, [...counting, "--exit-when-idle=1s", "--close-windows"]);
      expect((await closing.ended).code).toBe(0);
      expect(await closing.logged("report")).toMatchObject({ late: 0, lost: 0, unaccounted: 0 });
      expect(sumsOf((await rows()).flat())).toEqual(sumsOfLines(LINES));
    });

    test("workers that share a topic by Kafka's own group have exact results, too", async () => {
      await createTopic("grouped", 8);
      const [killed, stopped, last] = [1, 2, 3].map(() => groupWorker(redis.url, [kafka.broker, "grouped"]));
      for (const worker of [killed, stopped, last]) await worker?.logged("reading");
      const topic = ["--transport=kafka", `--brokers=${kafka.broker}`, "--channel=grouped"];
      const publishing = publisher(redis.url, EVENTS, [...topic, "--rate=3000"]);
      const parts = Array.from({ length: 8 }, (_, part) => `grouped-${part}`);
      const rows = async (): ReturnType<typeof keptRows> => keptRows(redis.url, parts, "grouped");
      await eventually(async () => (await rows()).flat().length > 0);
      killed?.kill("SIGKILL");
      stopped?.kill("SIGTERM");
      const { code, complaints } = (await stopped?.ended) ?? {};
      expect({ code, complaints }).toEqual({ code: 0, complaints: [] });
      expect((await publishing.ended).code).toBe(0);
      for (const part of parts) await last?.logged("reading", (line) => line["part"] === part);
      last?.kill("SIGTERM");
      expect((await last?.ended)?.code).toBe(0);
      expect((await groupWorker(redis.url, [kafka.broker, "grouped", "alone"]).ended).code).toBe(0);
      expect(sumsOf((await rows()).flat())).toEqual(sumsOfLines(LINES));
    });

    test("a topic is read again from a time: rows of windows from then on are replaced, and others stay", async () => {
      await createTopic("again", 1);
      const topic = ["--transport=kafka", `--brokers=${kafka.broker}`, "--channel=again"];
      const publish = async (lines: readonly string[]): Promise<void> => {
        const published = publisher(redis.url, "-", topic, lines.join("\n"));
        expect((await published.ended).code).toBe(0);
      };
      const args = [...topic, "--sink=redis", "--window=tumbling:200ms", "--clock=publish:100ms"];
      const run = async (): Promise<unknown> => {
        const endings = ["--exit-when-idle=200ms", "--idle-from=start", "--close-windows"];
        const running = aggregator(redis.url, [...args, ...endings]);
        expect((await running.ended).code).toBe(0);
        return running.logged("report");
      };
      const admin = async (command: string, ...more: readonly string[]): Promise<readonly unknown[]> => {
        const { output } = await aggregatorCommand([command, ...topic, ...more], { REDIS_URL: redis.url })
          .ended;
        return output.map((line): unknown => JSON.parse(line));
      };
      const [before, after] = [LINES.slice(0, 400), LINES.slice(400, 600)];
      await publish(before);
      const start = new Date().toISOString();
      await publish(after);
      await run();
      const [rows = []] = await keptRows(redis.url, ["again-0"]);
      expect(sumsOf(rows)).toEqual(sumsOfLines([...before, ...after]));
      // So that it shows which rows are written again.
      const untouched = await withRedis(redis.url, async (client) => {
        const windows = await client.keys("millrace:{again-0}:*:results:*");
        const early = windows.filter((window) => Number(window.split(":").at(-1)) < Date.parse(start));
        for (const window of windows) {
          for (const key of await client.hkeys(window))
            await client.hset(window, key, '{"num_mobile_users":0}');
        }
        return early;
      });

      expect(await admin("reset", `--to=${start}`)).toMatchObject([{ start, windowsFrom: start }]);
      expect(await admin("inspect")).toMatchObject([{ position: null, start }, { tasks: 1 }]);
      expect(await run()).toMatchObject({
        ...{ received: after.length, lost: 0, duplicates: 0, possibleDuplicates: 0, late: 0, unaccounted: 0 },
      });
      const [again = []] = await keptRows(redis.url, ["again-0"]);
      expect(sumsOf(again.filter(({ num_mobile_users }) => num_mobile_users > 0))).toEqual(
        new Map([...sumsOfLines(after)].filter(([, sum]) => sum > 0)),
      );
      const kept = await withRedis(redis.url, (client) =>
        Promise.all(untouched.map((window) => client.hvals(window))),
      );
      expect(new Set(kept.flat())).toEqual(new Set(['{"num_mobile_users":0}']));
      const place = ["--tasks=0", "--to=1"];
      expect(await admin("reset", ...place)).toMatchObject([{ start: "1", windowsFrom: null }]);
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
