import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startRedis } from "@millrace/local-redis";
import type { LocalRedis } from "@millrace/local-redis";
import { clickLine } from "./support/clicks.ts";
import { EXAMPLE_EVENTS, expectedRows, testWithExample } from "./support/example.ts";
import { aggregator, publisher } from "./support/programs.ts";

/** So long that all of a test lies in one window. */
const ONE_WINDOW = ["--window=tumbling:10000d", "--exit-when-idle=300ms"];

let redis: LocalRedis;
let folder: string;

beforeAll(async () => {
  redis = await startRedis();
  folder = await mkdtemp(join(tmpdir(), "millrace-test-"));
});

afterAll(async () => {
  await redis.stop();
  await rm(folder, { recursive: true, force: true });
});

describe("publisher and aggregator over a real Redis", () => {
  testWithExample("one window over the tutorial's events has exactly its 51 rows", async () => {
    const counting = aggregator(redis.url, [...ONE_WINDOW, "--channel=tutorial"]);
    const publishing = publisher(redis.url, EXAMPLE_EVENTS, ["--channel=tutorial"]);
    const [counted, published] = await Promise.all([counting.ended, publishing.ended]);
    expect([counted.code, published.code]).toEqual([0, 0]);
    expect(counted.output).toHaveLength(51);
    expect(counted.output.toSorted()).toEqual(expectedRows());
    expect((await counting.logged("report"))["unaccounted"]).toBe(0);
    expect(await publishing.logged("report")).toMatchObject({ published: 1_000, unheard: 0 });
  });

  test("each bad line is reported with its reason, and all good ones are counted", async () => {
    const file = join(folder, "nasty.jsonl");
    const { os_timezone: _, ...withoutZone } = JSON.parse(clickLine()) as Record<string, unknown>;
    const lines: readonly (string | Uint8Array)[] = [
      clickLine(),
      '{"click_id": ',
      "42",
      '["a", "list"]',
      JSON.stringify(withoutZone),
      clickLine().replace("true", '"true"'),
      "",
      `${clickLine()}\r`,
      `"${"x".repeat(10_000_000)}"`,
      Buffer.concat([Buffer.from('{"os_timezone":"'), Buffer.from([0xff, 0xfe]), Buffer.from('"}')]),
      clickLine({ os_timezone: "UTC", device_is_mobile: false }),
      clickLine(),
    ];
    await writeFile(file, Buffer.concat(lines.flatMap((line) => [Buffer.from(line), Buffer.from("\n")])));
    const counting = aggregator(redis.url, [...ONE_WINDOW, "--channel=nasty"]);
    const publishing = publisher(redis.url, file, ["--channel=nasty"]);
    const [counted, published] = await Promise.all([counting.ended, publishing.ended]);
    expect([counted.code, published.code]).toEqual([0, 0]);
    expect(counted.output.toSorted()).toEqual([
      '{"timezone":"Europe/Madrid","num_mobile_users":3}',
      '{"timezone":"UTC","num_mobile_users":0}',
    ]);
    const letters = [...published.log, ...counted.log].filter(({ event }) => event === "dead-letter");
    expect(letters.map(({ code, path }) => [code, path].join(" ").trim())).toEqual([
      "too-large",
      "invalid-json",
      "wrong-shape",
      "wrong-shape",
      "wrong-shape os_timezone",
      "wrong-shape device_is_mobile",
      "invalid-utf8",
    ]);
    expect(
      letters.every(({ message, payload }) => typeof message === "string" && typeof payload === "string"),
    ).toBe(true);
    expect(await publishing.logged("report")).toMatchObject({ read: 12, refused: 1, published: 11 });
    expect(await counting.logged("report")).toMatchObject({
      received: 11,
      decoded: 4,
      malformed: 6,
      blank: 1,
      counted: 4,
      unaccounted: 0,
    });
    expect(await counting.logged("not-counted")).toMatchObject({ malformed: 6 });
  });

  test("echo prints each event unchanged, also from standard input", async () => {
    const spaced = '{ "click_id" : "1" }';
    const echoing = aggregator(redis.url, ["--flow=echo", "--exit-when-idle=300ms", "--channel=echo"]);
    const publishing = publisher(redis.url, "-", ["--channel=echo"], `${spaced}\nnot JSON\n${clickLine()}`);
    expect((await publishing.ended).code).toBe(0);
    const { code, output, log } = await echoing.ended;
    expect(code).toBe(0);
    expect(output).toEqual([spaced, "not JSON", clickLine()]);
    expect(log.find(({ event }) => event === "report")).toMatchObject({
      received: 3,
      passedOn: 3,
      unaccounted: 0,
      msg: "received 3 events: 3 passed on, 0 unaccounted; rows out: out 3",
    });
  });
});
