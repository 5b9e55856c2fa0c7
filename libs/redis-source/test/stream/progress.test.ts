import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from "@jest/globals";
import { VirtualTime } from "@millrace/dataflow/testing";
import type { StreamPartition } from "@millrace/redis-source";
import { claimGroup } from "../../src/stream/group-commands.ts";
import { partContext } from "../support/part-context.ts";
import type { TestContext } from "../support/part-context.ts";
import { StreamBench, lines } from "../support/stream-bench.ts";
import { take } from "../support/take.ts";
import { until } from "../support/until.ts";

let bench: StreamBench;

beforeAll(async () => {
  // One entry a node, so that trimming by whole nodes is exact.
  bench = await StreamBench.start({ args: ["--stream-node-max-entries", "1"] });
});

afterEach(() => bench.tidy());

afterAll(() => bench.stop());

const GROUP = { group: "mine", progressEveryMs: 1_000 };
const TRIM = { ...GROUP, trim: true, abandonedAfterMs: 60_000 };

/** The answer of XINFO GROUPS for a group. */
async function group(stream: string, name = "mine"): Promise<Record<string, unknown>> {
  const groups: unknown = await bench.redis.xinfo("GROUPS", stream);
  const found = (Array.isArray(groups) ? groups : [])
    .map((flat: unknown[]) =>
      Object.fromEntries(flat.flatMap((_, i) => (i % 2 === 0 ? [[String(flat[i]), flat[i + 1]]] : []))),
    )
    .find((fields) => fields["name"] === name);
  return found ?? {};
}

async function calls(command: string): Promise<number> {
  const info = await bench.redis.info("commandstats");
  return Number(new RegExp(`cmdstat_${command}:calls=(\\d+)`).exec(info)?.[1] ?? 0);
}

/** Commits what was read, and waits for the update of the group. */
async function commit(partition: StreamPartition, context: TestContext, time: VirtualTime): Promise<void> {
  const before = context.logger.of("progress").length;
  await partition.committed(partition.snapshot());
  time.set(time.now() + 1_000);
  await context.logger.logged("progress", before + 1);
}

async function open(
  stream: string,
  options: Parameters<StreamBench["read"]>[1],
): Promise<{
  partition: StreamPartition;
  context: TestContext;
  time: VirtualTime;
  next: (n: number) => Promise<void>;
}> {
  const time = new VirtualTime(1_000_000);
  const context = partContext(time);
  const partition = await bench.read(stream, { maxBatchEvents: 1, ...options }, { context });
  const next = async (n: number): Promise<void> => {
    await take(partition, n);
    await commit(partition, context, time);
  };
  return { partition, context, time, next };
}

describe("the group", () => {
  it("exists from the start, and with it the stream", async () => {
    await open("made", GROUP);
    expect(await group("made")).toMatchObject({ "last-delivered-id": "0-0", "entries-read": 0, lag: 0 });
  });

  it("shows the true lag of the commit, wherever reading began", async () => {
    const ids = await bench.add("lag", lines(0, 20));
    await bench.redis.xtrim("lag", "MAXLEN", 15);
    const { next } = await open("lag", GROUP);
    await next(3);
    expect(await group("lag")).toMatchObject({ "last-delivered-id": ids[7], "entries-read": 8, lag: 12 });
    await next(12);
    expect(await group("lag")).toMatchObject({ "last-delivered-id": ids[19], "entries-read": 20, lag: 0 });
    await bench.add("lag", lines(20, 24));
    expect((await group("lag"))["lag"]).toBe(4);
  });

  it("shows no lag while it is unknown, until the end has been reached", async () => {
    const ids = await bench.add("unknown", lines(0, 10));
    await bench.redis.xdel("unknown", ids[8] ?? "");
    const { partition, next } = await open("unknown", { ...GROUP, start: ids[2] ?? "" });
    await next(2);
    expect((await group("unknown"))["lag"]).toBeNull();
    expect(partition.stats().lag).toBe("unknown");
    await next(4);
    const more = next(1);
    await bench.waiting("unknown");
    await bench.add("unknown", ["more"]);
    await more;
    expect((await group("unknown"))["lag"]).toBe(0);
    expect(partition.stats().lag).toBe(0);
  });

  it("is not updated more often than asked for, and ends at the last commit", async () => {
    await bench.add("rate", lines(0, 50));
    const { partition, time, next } = await open("rate", GROUP);
    await next(1);
    const before = await calls("xgroup\\|setid");
    for (let i = 0; i < 40; i += 1) {
      await take(partition, 1);
      await partition.committed(partition.snapshot());
      time.set(time.now() + 10);
    }
    await partition.drained();
    expect(await calls("xgroup\\|setid")).toBe(before);
    await next(1);
    expect(await calls("xgroup\\|setid")).toBe(before + 1);
    await take(partition, 5);
    await partition.committed(partition.snapshot());
    await partition.close();
    expect((await group("rate"))["lag"]).toBe(3);
  });
});

describe("a group of another program", () => {
  const refused = { code: "MILLRACE_REDIS_GROUP_TAKEN", message: expect.stringContaining("--group") };

  it.each<[string, (stream: string) => Promise<unknown>]>([
    ["that has read something", (stream) => readAs("mine", stream, 3)],
    ["that has not begun", () => Promise.resolve()],
  ])("%s is refused and left as it is", async (what, use) => {
    const stream = `theirs ${what}`;
    await bench.add(stream, lines(0, 10));
    await bench.redis.xgroup("CREATE", stream, "mine", "0");
    await use(stream);
    const before = await group(stream);
    await expect(bench.read(stream, GROUP)).rejects.toMatchObject(refused);
    expect(await group(stream)).toEqual(before);
    await bench.read(stream, { ...GROUP, group: "other" });
  });

  it("that was made after the check is refused, too", async () => {
    await bench.add("race", lines(0, 10));
    await bench.redis.xgroup("CREATE", "race", "mine", "0");
    const before = await group("race");
    const client = bench.redis.duplicate();
    jest.spyOn(client, "xinfo").mockRejectedValueOnce(new Error("NOGROUP No such consumer group"));
    const seen = await bench.commands();
    const claimed = claimGroup(client, "race", "mine", { id: "5-0", entries: 5 });
    const ended = claimed.finally(() => {
      client.disconnect();
    });
    await expect(ended).rejects.toMatchObject(refused);
    expect(await group("race")).toEqual(before);
    await until(() => seen.includes("xinfo groups race"));
    // Never: a crash must not leave it with our mark.
    expect(seen.filter((command) => command.startsWith("xgroup createconsumer"))).toEqual([]);
  });

  it("is distinguished from our own when the flow resumes, and when several tasks start at the same time", async () => {
    await bench.add("ours", lines(0, 10));
    await Promise.all(Array.from({ length: 5 }, () => bench.read("ours", GROUP)));
    await bench.tidy();
    const { next } = await open("ours", GROUP);
    await next(3);
    expect(await group("ours")).toMatchObject({ consumers: 1, lag: 7 });
  });

  it("that appears while the flow runs is not moved, and the log says so", async () => {
    await bench.add("taken", lines(0, 10));
    const { partition, time, context } = await open("taken", TRIM);
    await bench.redis.xgroup("DESTROY", "taken", "mine");
    await bench.redis.xgroup("CREATE", "taken", "mine", "0");
    await take(partition, 5);
    await partition.committed(partition.snapshot());
    time.set(time.now() + 1_000);
    await Promise.race([context.logger.logged("progress-failed"), context.logger.logged("progress")]);
    expect(context.logger.of("progress")).toEqual([]);
    expect(await group("taken")).toMatchObject({ "last-delivered-id": "0-0", consumers: 0 });
    expect(await bench.redis.xlen("taken")).toBe(10);
  });

  it("that is deleted while the flow runs is made again", async () => {
    await bench.add("gone", lines(0, 10));
    const { next } = await open("gone", GROUP);
    await bench.redis.xgroup("DESTROY", "gone", "mine");
    await next(4);
    expect(await group("gone")).toMatchObject({ consumers: 1, lag: 6 });
  });
});

describe("trimming", () => {
  it("deletes nothing unless asked to", async () => {
    await bench.add("kept", lines(0, 10));
    const { next, partition } = await open("kept", GROUP);
    await next(10);
    expect(await bench.redis.xlen("kept")).toBe(10);
    expect(partition.stats().trimmed).toBe(0);
  });

  it("deletes entries below the commit", async () => {
    await bench.add("trim", lines(0, 10));
    const { next, partition } = await open("trim", TRIM);
    await next(6);
    expect(await bench.redis.xlen("trim")).toBe(5);
    await next(4);
    expect(await bench.redis.xlen("trim")).toBe(1);
    expect(partition.stats()).toMatchObject({ trimmed: 9, lostEntries: 0, abandonedGroups: 0 });
  });

  it("never passes a group that is slower, nor what it has not acknowledged", async () => {
    await bench.add("slow", lines(0, 10));
    await bench.redis.xgroup("CREATE", "slow", "other", "0");
    const { next } = await open("slow", TRIM);
    await next(8);
    expect(await bench.redis.xlen("slow")).toBe(10);
    const ids = await readAs("other", "slow", 4);
    await next(1);
    expect(await bench.redis.xlen("slow")).toBe(10);
    await bench.redis.xack("slow", "other", ...ids.slice(0, 2));
    await bench.add("slow", ["x", "y", "z"]);
    await next(1);
    expect((await bench.redis.xrange("slow", "-", "+", "COUNT", 1))[0]?.[0]).toBe(ids[2]);
    await bench.redis.xack("slow", "other", ...ids);
    await next(1);
    expect((await bench.redis.xrange("slow", "-", "+", "COUNT", 1))[0]?.[0]).toBe(ids[3]);
  });

  it("passes a group that has made no progress for too long, logs it, and stops again when it makes progress", async () => {
    await bench.add("left", lines(0, 10));
    await bench.redis.xgroup("CREATE", "left", "other", "0");
    const { next, time, partition, context } = await open("left", TRIM);
    await next(2);
    time.set(time.now() + 58_000);
    await next(1);
    expect(await bench.redis.xlen("left")).toBe(10);
    expect(context.logger.of("group-abandoned")).toEqual([]);
    time.set(time.now() + 60_000);
    await next(1);
    expect(await bench.redis.xlen("left")).toBe(7);
    expect(partition.stats().abandonedGroups).toBe(1);
    await next(1);
    expect(context.logger.of("group-abandoned")).toHaveLength(1);
    await readAs("other", "left", 1, "NOACK");
    await next(5);
    expect(context.logger.of("group-back")).toHaveLength(1);
    expect(partition.stats().abandonedGroups).toBe(0);
    expect(await bench.redis.xlen("left")).toBe(6);
  });
});

/** Reads as a member of a consumer group. @returns the ids of what came */
async function readAs(
  name: string,
  stream: string,
  count: number,
  ...noAck: readonly "NOACK"[]
): Promise<string[]> {
  const reply: unknown = await bench.redis.call(
    "XREADGROUP",
    "GROUP",
    name,
    "c",
    "COUNT",
    count,
    ...noAck,
    "STREAMS",
    stream,
    ">",
  );
  const [[, entries]] = reply as [[string, [string, string[]][]]];
  return entries.map(([id]) => id);
}
