import { connect, createServer } from "node:net";
import { afterEach, describe, expect, it } from "@jest/globals";
import { RedisStreamSource } from "@millrace/redis-source";
import { frameOf } from "../support/frames.ts";
import { partContext } from "../support/part-context.ts";
import { listen } from "../support/scripted-server.ts";
import { StreamBench, lines } from "../support/stream-bench.ts";
import { take } from "../support/take.ts";
import { until } from "../support/until.ts";

const benches: StreamBench[] = [];
const open: { close(): Promise<void> }[] = [];

afterEach(async () => {
  for (const each of open.splice(0).reverse()) await each.close();
  for (const bench of benches.splice(0)) await bench.stop();
});

async function start(args: readonly string[] = []): Promise<StreamBench> {
  const bench = await StreamBench.start({ args });
  benches.push(bench);
  return bench;
}

describe("a lost connection", () => {
  it("is opened again, and reading continues", async () => {
    const bench = await start();
    const context = partContext();
    const partition = await bench.read("s", {}, { context });
    await bench.add("s", lines(0, 10));
    expect(await take(partition, 10)).toEqual(lines(0, 10));
    const rest = take(partition, 5);
    await bench.waiting("s");
    const before = await partition.drained();
    await bench.cut("name=millrace_source_s ");
    await context.logger.logged("redis-back");
    await bench.add("s", lines(10, 15));
    expect(await rest).toEqual(lines(10, 15));
    expect(partition.stats()).toMatchObject({ read: 15, duplicates: 0, lost: 0, disconnects: 1 });
    expect((await partition.drained())?.connection).not.toBe(before?.connection);
  });

  it("may be the one of the probes: they are sent again", async () => {
    const bench = await start();
    const context = partContext();
    const partition = await bench.read("s", {}, { context });
    await bench.cut("name=millrace_source_s_commands ");
    expect(await partition.drained()).toBeDefined();
    expect(partition.stats().disconnects).toBe(1);
  });
});

describe("a server that restarts", () => {
  it("is read on from the same place, if it kept its data", async () => {
    const bench = await start(["--appendonly", "yes", "--appendfsync", "always"]);
    const context = partContext();
    const partition = await bench.read("s", { group: "g", progressEveryMs: 1 }, { context });
    await bench.add("s", lines(0, 100));
    expect(await take(partition, 100)).toEqual(lines(0, 100));
    await partition.committed(partition.snapshot());
    const rest = take(partition, 50);
    await bench.waiting("s");
    await bench.server.kill();
    const proof = partition.drained();
    await until(() => partition.stats().connected === false);
    await bench.server.restart();
    await bench.add("s", lines(100, 150));
    expect(await rest).toEqual(lines(100, 150));
    await proof;
    expect(await partition.drained()).toBeDefined();
    expect(partition.stats()).toMatchObject({ read: 150, duplicates: 0, lost: 0, lostEntries: 0, lag: 0 });
    expect(partition.stats()).toMatchObject({ connected: true, reconnects: 2, entriesBehind: 0 });
    expect(context.logger.of("stream-reset")).toEqual([]);
  });

  it("is read from its start if it lost everything, and the log says so", async () => {
    const bench = await start();
    const context = partContext();
    const partition = await bench.read("s", {}, { context });
    await bench.add("s", lines(0, 10));
    await take(partition, 10);
    const rest = take(partition, 2);
    await bench.waiting("s");
    await bench.server.kill();
    await bench.server.restart();
    await context.logger.logged("stream-reset");
    await bench.redis.xadd("s", "1-1", "data", "new 1");
    await bench.redis.xadd("s", "2-1", "data", "new 2");
    expect(await rest).toEqual(["new 1", "new 2"]);
    expect(partition.snapshot()).toMatchObject({ id: "2-1", entries: 2 });
    // Entries may have been added between the last check and the loss.
    expect(partition.stats()).toMatchObject({
      read: 12,
      lostEntries: 0,
      uncertainSince: expect.any(Number),
    });
  });
});

describe("a stream that is deleted", () => {
  it("is read from the start of the one that follows it", async () => {
    const bench = await start();
    const context = partContext();
    await bench.add("s", lines(0, 10));
    const first = await bench.read("s", {}, { context });
    await take(first, 10);
    const resume = first.snapshot();
    await bench.redis.del("s");
    await bench.add("s", ["a", "b"]);
    const second = await bench.read("s", {}, { resume, context });
    expect(await take(second, 2)).toEqual(["a", "b"]);
    expect(context.logger.of("stream-reset")).toHaveLength(1);
    const [read] = String(Reflect.get(Object(resume), "id")).split("-");
    expect(second.stats()).toMatchObject({ lostEntries: 0, uncertainSince: Number(read) });
  });

  it("leaves unknown what was published up to the first entry of the one that follows it", async () => {
    const bench = await start();
    await bench.redis.xadd("f", "1000-0", "data", frameOf(0, ["0"]));
    const first = await bench.read("f");
    await take(first, 1);
    const resume = first.snapshot();
    await bench.redis.del("f");
    await bench.redis.xadd("f", "3000-0", "data", frameOf(1, ["1"], { publishedAtMs: 3_000 }));
    await bench.redis.xadd("f", "5000-0", "data", frameOf(2, ["2"], { publishedAtMs: 5_000 }));
    const second = await bench.read("f", {}, { resume });
    await take(second, 2);
    expect(second.stats()).toMatchObject({ lost: 0, uncertainSince: 1_000 });
    expect(second.completeness(1_000, 2_000)).toBe("unknown");
    expect(second.completeness(3_500, 4_500)).toBe(true);
  });
});

describe("a failover between a check and the wait that follows it", () => {
  it("causes another check: what is missing is counted before what follows it is delivered", async () => {
    const [before, after] = [await start(), await start()];
    const ids = Array.from({ length: 18 }, (_, i) => `${i + 1}-0`);
    for (const [i, id] of ids.entries()) {
      if (i < 10) await before.redis.xadd("s", id, "data", `line ${i}`);
      await after.redis.xadd("s", id, "data", `line ${i}`);
    }
    await after.redis.xtrim("s", "MAXLEN", 3);
    let { port } = before.server;
    const proxy = await listen(
      createServer((client) => {
        const upstream = connect(port, "127.0.0.1");
        upstream.on("error", () => client.destroy());
        upstream.on("data", (bytes: Buffer) => client.write(bytes));
        client.on("close", () => upstream.destroy());
        client.on("data", (bytes: Buffer) => {
          if (port === after.server.port || !bytes.includes("BLOCK")) {
            upstream.write(bytes);
            return;
          }
          ({ port } = after.server);
          client.destroy();
        });
      }),
    );
    open.push(proxy);
    const source = new RedisStreamSource({ host: "127.0.0.1", port: proxy.port }, { stream: "s" });
    const partition = await source.buildPart("s", undefined, partContext());
    open.push(partition);
    expect(await take(partition, 10)).toEqual(lines(0, 10));
    expect(await partition.nextBatch()).toMatchObject({ events: lines(15, 18) });
    expect(partition.stats()).toMatchObject({ lostEntries: 5, lost: 5, disconnects: 1 });
  });
});
