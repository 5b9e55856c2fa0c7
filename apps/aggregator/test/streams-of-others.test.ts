import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { startRedis } from "@millrace/local-redis";
import type { LocalRedis } from "@millrace/local-redis";
import { withRedis } from "./support/kept-results.ts";
import { aggregator, publisher } from "./support/programs.ts";

const VISITS = ["--flow=./modules/visits.mjs", "--exit-when-idle=300ms", "--close-windows"];
const STREAM = ["--transport=stream", "--window=tumbling:1h", ...VISITS];

let redis: LocalRedis;

beforeAll(async () => {
  redis = await startRedis();
});

afterAll(async () => {
  await redis.stop();
});

/** Adds an entry such as `user 42 page /home`. */
function add(stream: string, id: string, ...fields: readonly string[]): Promise<unknown> {
  return withRedis(redis.url, (client) => client.xadd(stream, id, ...fields));
}

function rowsOf(output: readonly string[]): readonly unknown[] {
  return output.toSorted().map((line): unknown => JSON.parse(line));
}

describe("a stream as others write it", () => {
  test("has events of flat fields, at the times of their ids", async () => {
    const hour = 3_600_000;
    await add("flat", `${hour}-1`, "user", "42", "page", "/home");
    await add("flat", `${hour + 1}-0`, "user", "43", "page", "/cart");
    await add("flat", `${2 * hour}-0`, "user", "44", "page", "/home");
    await add("flat", `${2 * hour + 1}-0`, "user", "45", "user", "46");
    const { code, output, log } = await aggregator(redis.url, [
      ...STREAM,
      "--channel=flat",
      "--stream-entries=fields",
      "--meta",
    ]).ended;
    expect(code).toBe(0);
    expect(rowsOf(output)).toMatchObject([
      { channel: "flat", visits: 2, user: 43, page: "/cart", window: { open: hour } },
      { channel: "flat", visits: 1, user: 44, page: "/home", window: { open: 2 * hour } },
    ]);
    expect(log.find(({ event }) => event === "dead-letter")).toMatchObject({
      code: "duplicate-field",
      payload: "user 45 user 46 ",
    });
  });

  test("has events at the times of a flat field, in seconds", async () => {
    await add("timed", "*", "user", "1", "page", "/a", "at", "1764324000");
    await add("timed", "*", "user", "2", "page", "/b", "at", "1764325800.5");
    await add("timed", "*", "user", "3", "page", "/c", "at", "1764327600");
    const { code, output } = await aggregator(redis.url, [
      ...STREAM,
      "--channel=timed",
      "--stream-entries=fields",
      "--clock=event-seconds:at",
      "--meta",
    ]).ended;
    expect(code).toBe(0);
    expect(rowsOf(output)).toMatchObject([
      { visits: 2, user: 2, window: { open: 1_764_324_000_000 } },
      { visits: 1, user: 3, window: { open: 1_764_327_600_000 } },
    ]);
  });

  test("may hold the message in another field, as the publisher writes it too, beside others", async () => {
    const args = ["--transport=stream", "--channel=payload", "--stream-field=payload"];
    await add("payload", "1-1", "data", '{"user":8,"page":"/b"}');
    const line = '{"user":6,"page":"/a"}';
    expect((await publisher(redis.url, "-", args, line).ended).code).toBe(0);
    await add("payload", "*", "trace", "t1", "payload", '{"user":7,"page":"/a"}');
    const { code, output, log } = await aggregator(redis.url, [
      ...VISITS,
      ...args,
      "--window=tumbling:10000d",
    ]).ended;
    expect(code).toBe(0);
    expect(rowsOf(output)).toEqual([{ user: 7, page: "/a", channel: "payload", trace: "t1", visits: 2 }]);
    expect(log.find(({ event }) => event === "dead-letter")).toMatchObject({ code: "no-data-field" });
  });
});

test("several streams by name are tasks of their own, which resume", async () => {
  await add("north", "1-1", "user", "1", "page", "/n");
  await add("south", "1-1", "user", "2", "page", "/s");
  const args = [...STREAM, "--channel=north,south", "--partition-by=channel", "--stream-entries=fields"];
  const first = await aggregator(redis.url, args).ended;
  expect(first.code).toBe(0);
  expect(rowsOf(first.output)).toMatchObject([
    { channel: "north", visits: 1, user: 1 },
    { channel: "south", visits: 1, user: 2 },
  ]);
  await add("south", `${10 * 3_600_000}-1`, "user", "3", "page", "/s");
  const second = await aggregator(redis.url, [...args, "--idle-from=start"]).ended;
  expect(rowsOf(second.output)).toMatchObject([{ channel: "south", visits: 1, user: 3 }]);
});

test("several channels by name, and all that match a pattern, with the name of each", async () => {
  const common = [...VISITS, "--window=tumbling:10000d"];
  const matching = aggregator(redis.url, [...common, "--channel-pattern=visits:*"]);
  const named = aggregator(redis.url, [...common, "--channel=visits:eu,others", "--partition-by=channel"]);
  await matching.logged("subscribed");
  await named.logged("subscribed", ({ channel }) => channel === "visits:eu");
  // All at once: after 300 ms without an event the aggregators end.
  const heard = await withRedis(redis.url, (client) => {
    const all = client.multi();
    for (const channel of ["visits:eu", "visits:us"])
      for (const user of [1, 2, 3]) all.publish(channel, `{"user":${user},"page":"/p"}`);
    return all.exec();
  });
  expect(heard?.map(([, subscribers]) => subscribers)).toEqual([2, 2, 2, 1, 1, 1]);
  const ended = await Promise.all([matching.ended, named.ended]);
  expect(ended.map(({ code }) => code)).toEqual([0, 0]);
  const [eu, us] = ["visits:eu", "visits:us"].map((channel) => ({ user: 3, visits: 3, page: "/p", channel }));
  expect(ended.map(({ output }) => rowsOf(output))).toEqual([[eu, us], [eu]]);
  expect(await matching.logged("report")).toMatchObject({ received: 6, lost: 0, duplicates: 0 });
});
