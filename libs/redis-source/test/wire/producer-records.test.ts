import { describe, expect, it } from "@jest/globals";
import { Redis } from "ioredis";
import { producersKey, readProducerRecords, RecordKeeper } from "../../src/wire/producer-records.ts";
import type { ProducerRecord } from "../../src/wire/producer-records.ts";
import { partContext } from "../support/part-context.ts";
import { sinkBench } from "../support/sink-bench.ts";

const bench = sinkBench();

function record(publishedAtMs: number, rest: Partial<ProducerRecord> = {}): ProducerRecord {
  return { next: 7, publishedAtMs, since: 3, ended: false, ...rest };
}

describe("a framed sink", () => {
  it("records how far it is, and that it has ended", async () => {
    const { part } = await bench.open({ frames: true, producer: "shop" });
    await part.writeBatch(["a", "b"]);
    await part.flush();
    await part.close();
    const records = await readProducerRecords(bench.control, "clicks");
    expect([...(records ?? [])]).toEqual([
      ["shop.0", { next: 2, publishedAtMs: expect.any(Number), since: expect.any(Number), ended: true }],
    ]);
    expect(await bench.control.pttl("{clicks}:producers")).toBeGreaterThan(86_000_000);
  });

  it("publishes without a record if the user may not write it, and logs that once", async () => {
    const user = await bench.user("publisher", "+publish", "+eval", "~clicks");
    const client = new Redis(bench.server.url, { ...user });
    bench.later(() => {
      client.disconnect();
    });
    const context = partContext();
    const keeper = new RecordKeeper("clicks", "shop", context);
    await keeper.keep(client, record(5));
    await keeper.keep(client, record(6));
    expect(context.logger.of("no-producer-record")).toMatchObject([{ level: "warn" }]);
    expect(await readProducerRecords(client, "clicks")).toBeUndefined();
    const { part, sink } = await bench.open({ frames: true }, { user });
    await part.writeBatch(["a"]);
    await part.flush();
    await part.close();
    expect(sink.stats().published).toBe(1);
  });
});

describe("records", () => {
  it("are in the slot of their channel", () => {
    expect(producersKey("clicks")).toBe("{clicks}:producers");
    expect(producersKey("{clicks:3}")).toBe("{clicks:3}:producers");
  });

  it("of producers that ended long ago are deleted when another begins", async () => {
    const day = 86_400_000;
    await bench.control.hset("{clicks}:producers", { old: "1 1 1 1", young: `2 ${day} 2 0`, strange: "?" });
    await new RecordKeeper("clicks", "new", partContext()).keep(bench.control, record(day + 2));
    const records = await readProducerRecords(bench.control, "clicks");
    expect([...(records?.keys() ?? [])].sort()).toEqual(["new", "young"]);
  });

  it("are limited in number", async () => {
    const many = Object.fromEntries(Array.from({ length: 1_100 }, (_, i) => [`p${i}`, `0 ${i} 0 1`]));
    await bench.control.hset("{clicks}:producers", many);
    await new RecordKeeper("clicks", "new", partContext()).keep(bench.control, record(5_000));
    const records = await readProducerRecords(bench.control, "clicks");
    expect(records?.size).toBe(1_024);
    expect(records?.has("p0")).toBe(false);
    expect(records?.has("new")).toBe(true);
  });

  it("do not wait for a connection", async () => {
    await new RecordKeeper("clicks", "new", partContext()).keep(undefined, record(5));
    expect(await readProducerRecords(bench.control, "clicks")).toEqual(new Map());
  });
});
