import { afterAll, afterEach, beforeAll, describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { Dataflow } from "@millrace/dataflow";
import type { Decoder, RawLine, Source } from "@millrace/dataflow";
import { TestingSink } from "@millrace/dataflow/testing";
import { RedisOptionsError, RedisStreamSink, RedisStreamSource, decodeLine } from "@millrace/redis-source";
import type { LineWithOrigin, RedisStreamSourceOptions } from "@millrace/redis-source";
import { frameOf } from "../support/frames.ts";
import { partContext } from "../support/part-context.ts";
import { StreamBench } from "../support/stream-bench.ts";
import { take } from "../support/take.ts";

/** Like the unit "binary" of fast-check, whose table of all characters takes a second to make. */
const anyCharacter = fc.nat(0x10ffff).map((code) => Buffer.from(String.fromCodePoint(code)).toString());

let bench: StreamBench;

beforeAll(async () => {
  bench = await StreamBench.start();
});

afterEach(() => bench.tidy());

afterAll(() => bench.stop());

/** The lines of so many entries with these options, and what was refused. */
async function read(
  stream: string,
  count: number,
  options: Omit<RedisStreamSourceOptions, "stream">,
): Promise<{ events: RawLine[]; rejected: readonly { payload: string; code: string }[] }> {
  const context = partContext();
  const events = await take(await bench.read(stream, options, { context }), count);
  const rejected = context.rejected.map(({ payload, code }) => ({
    payload: Buffer.from(payload).toString(),
    code,
  }));
  return { events, rejected };
}

describe("the field of the messages", () => {
  it("may be another one than data", async () => {
    await bench.redis.xadd("payload", "*", "data", "not this", "payload", "a\nb");
    await bench.redis.xadd("payload", "*", "data", "nor this");
    await bench.redis.xadd("payload", "*", "payload", "c");
    const { events, rejected } = await read("payload", 3, { entries: { field: "payload" } });
    expect(events).toEqual(["a", "b", "c"]);
    expect(rejected).toEqual([{ payload: "data nor this ", code: "no-data-field" }]);
  });

  it("of a sink may be the same, and frames keep their numbers in it", async () => {
    const options = { stream: "numbered", field: "payload", frames: true, lingerMs: 0 };
    const sink = new RedisStreamSink({ url: bench.server.url }, options);
    const part = await sink.buildPart("0", undefined, partContext());
    await part.writeBatch(["a", "b"]);
    await part.close();
    const sent = await bench.redis.xrange("numbered", "-", "+");
    expect(new Set(sent.map(([, [field]]) => field))).toEqual(new Set(["payload"]));
    for (const [, fields] of sent) await bench.redis.xadd("numbered", "*", ...fields);
    await bench.redis.xadd("numbered", "*", "payload", "end");
    const partition = await bench.read("numbered", { entries: { field: "payload" } });
    expect(await take(partition, 3)).toEqual(["a", "b", "end"]);
    expect(partition.stats()).toMatchObject({ duplicates: 2, lost: 0 });
  });

  it("has a name", () => {
    expect(() => new RedisStreamSource({}, { stream: "s", entries: { field: "" } })).toThrow(
      RedisOptionsError,
    );
    expect(() => new RedisStreamSink({}, { stream: "s", field: "" })).toThrow(RedisOptionsError);
  });
});

describe("entries whose fields are the event", () => {
  const entries = "fields";

  it("are lines of JSON with strings, at the time of the entry", async () => {
    await bench.redis.xadd("flat", "1700000000123-4", "user", "42", "page", "/home");
    await bench.redis.xadd("flat", "1700000000124-0", "user", "43", "page", '"quoted"\n');
    await bench.redis.xadd("flat", "1700000000125-0", "page", "Zürich", "user", "");
    const partition = await bench.read("flat", { entries });
    expect(await partition.nextBatch()).toEqual({
      kind: "batch",
      events: [
        '{"user":"42","page":"/home"}',
        '{"user":"43","page":"\\"quoted\\"\\n"}',
        '{"page":"Zürich","user":""}',
      ],
      times: [1_700_000_000_123, 1_700_000_000_124, 1_700_000_000_125],
    });
    expect(partition.stats()).toMatchObject({ read: 3, entries: 3, malformed: 0, lost: 0 });
    expect(partition.completeness(1_700_000_000_000, 1_700_000_001_000)).toBe("unknown");
  });

  it("resume after the commit, also if the next entries are read as messages", async () => {
    for (const user of ["1", "2", "3"]) await bench.redis.xadd("resumed", "*", "user", user);
    const partition = await bench.read("resumed", { entries, maxBatchEvents: 2 });
    expect(await take(partition, 2)).toHaveLength(2);
    const again = await bench.read("resumed", { entries }, { resume: partition.snapshot() });
    expect(await take(again, 1)).toEqual(['{"user":"3"}']);
    await bench.add("resumed", ["a"]);
    const messages = await bench.read("resumed", {}, { resume: again.snapshot() });
    expect(await take(messages, 1)).toEqual(["a"]);
  });

  it("are refused with a name that occurs twice, if they are too large, or if they are frames", async () => {
    await bench.redis.xadd("refused", "*", "a", "1", "b", "2", "a", "3");
    await bench.redis.xadd("refused", "*", "a", "x".repeat(1_048_576));
    await bench.redis.xadd("refused", "*", "data", frameOf(0, ["one"]));
    await bench.redis.xadd("refused", "*", "a", "1", "b", "2");
    const { events, rejected } = await read("refused", 1, { entries });
    expect(events).toEqual(['{"a":"1","b":"2"}']);
    expect(rejected.map(({ code }) => code)).toEqual(["duplicate-field", "too-large", "frame-in-fields"]);
    expect(rejected[0]?.payload).toBe("a 1 b 2 a 3 ");
  });

  it("that are not UTF-8 are bytes, which decoders refuse as they do in any line", async () => {
    await bench.redis.xadd("bytes", "*", "user", Buffer.from([0xc3, 0x28, 0x22]));
    await bench.redis.xadd("bytes", "*", Buffer.from([0xff]), "1", "b", "2");
    await bench.redis.xadd("bytes", "*", "user", "42");
    const { events } = await read("bytes", 3, { entries });
    expect(events).toEqual([
      new Uint8Array([...Buffer.from('{"user":"'), 0xc3, 0x28, ...Buffer.from('\\""}')]),
      new Uint8Array([...Buffer.from('{"'), 0xff, ...Buffer.from('":"1","b":"2"}')]),
      '{"user":"42"}',
    ]);
  });

  it("say the same as their fields, whatever these hold", async () => {
    const name = fc.string({ unit: anyCharacter, maxLength: 4 });
    const entry = fc.uniqueArray(fc.tuple(name, name), {
      selector: ([key]) => key,
      minLength: 1,
      maxLength: 4,
    });
    await fc.assert(
      fc.asyncProperty(fc.array(entry, { minLength: 50, maxLength: 100 }), async (all) => {
        await bench.redis.del("any");
        await Promise.all(all.map((fields) => bench.redis.xadd("any", "*", ...fields.flat())));
        const events = await take(await bench.read("any", { entries }), all.length);
        expect(events.map((line): unknown => JSON.parse(String(line)))).toEqual(
          all.map((fields) => Object.fromEntries(fields)),
        );
        await bench.tidy();
      }),
      { numRuns: 2 },
    );
  });
});

describe("what comes beside a line", () => {
  function sourceOf(options: RedisStreamSourceOptions): Source<LineWithOrigin> {
    return new RedisStreamSource({ url: bench.server.url }, options).withOrigin();
  }

  it("is the stream, and the other fields of the entry", async () => {
    await bench.redis.xadd("beside", "*", "trace", "t1", "data", "a\nb", "to", "x", "to", "y");
    await bench.redis.xadd("beside", "*", "data", frameOf(0, ["c"]), "__proto__", "z");
    const source = sourceOf({ stream: "beside" });
    const partition = await source.buildPart("beside", undefined, partContext());
    const fields = { trace: "t1", to: "y" };
    expect(await take(partition, 3)).toEqual([
      { line: "a", channel: "beside", fields },
      { line: "b", channel: "beside", fields },
      { line: "c", channel: "beside", fields: Object.fromEntries([["__proto__", "z"]]) },
    ]);
    const again = await source.buildPart("beside", partition.snapshot(), partContext());
    expect(await again.drained?.()).toBeDefined();
    await partition.close();
    await again.close();
  });

  it("is only the stream if the fields are the event", async () => {
    await bench.redis.xadd("whole", "*", "user", "42");
    const source = sourceOf({ stream: "whole", entries: "fields" });
    const partition = await source.buildPart("whole", undefined, partContext());
    expect(await take(partition, 1)).toEqual([{ line: '{"user":"42"}', channel: "whole", fields: {} }]);
    await partition.close();
  });

  it("reaches the events of a flow, typed", () => {
    const decoder: Decoder<RawLine, { readonly user: string }> = {
      decode: (line) =>
        line === ""
          ? { kind: "malformed", reason: { code: "empty", message: "the line is empty" } }
          : { kind: "event", event: { user: String(line) } },
    };
    const joined = decodeLine(decoder, ({ user }, { channel, fields }) => ({
      user: user.toUpperCase(),
      shop: channel,
      trace: fields["trace"],
    }));
    const origin = { channel: "s", fields: { trace: "t" } };
    expect(joined.decode({ line: "ann", ...origin })).toEqual({
      kind: "event",
      event: { user: "ANN", shop: "s", trace: "t" },
    });
    expect(joined.decode({ line: "", ...origin })).toMatchObject({ kind: "malformed" });
    const flow = new Dataflow("typed");
    const names = new TestingSink<string>();
    flow
      .input("lines", sourceOf({ stream: "s" }))
      .decode(joined)
      .map(({ user, trace }) => `${user} ${trace ?? ""}`)
      .output("out", names);
    // @ts-expect-error -- entries are a message in a field, or fields: not both
    const both: RedisStreamSourceOptions["entries"] = { field: "data", kind: "fields" };
    expect(both).toBeDefined();
  });
});

describe("several streams by name", () => {
  it("are a partition each, with positions of their own", async () => {
    await bench.add("north", ["n1", "n2"]);
    await bench.add("south", ["s1"]);
    const source = new RedisStreamSource({ url: bench.server.url }, { stream: ["north", "south"] });
    expect(await source.listParts()).toEqual(["north", "south"]);
    expect(source.partitioning).toEqual({ kind: "arbitrary" });
    await source.checkStart(["north", "south"], partContext());
    const north = await source.buildPart("north", undefined, partContext());
    const south = await source.buildPart("south", undefined, partContext());
    expect(await take(north, 2)).toEqual(["n1", "n2"]);
    expect(await take(south, 1)).toEqual(["s1"]);
    const again = await source.buildPart("south", south.snapshot(), partContext());
    await bench.add("south", ["s2"]);
    expect(await take(again, 1)).toEqual(["s2"]);
    for (const partition of [north, south, again]) await partition.close();
  });

  it.each([
    ["no name", []],
    ["an empty name", ["a", ""]],
    ["a name twice", ["a", "a"]],
    ["names that a store cannot keep apart", ["a", "{a}"]],
  ])("refuse %s", (_, stream) => {
    expect(() => new RedisStreamSource({}, { stream })).toThrow(RedisOptionsError);
  });

  it("have no partitions of their own", () => {
    expect(() => new RedisStreamSource({}, { stream: ["a", "b"], partitions: 2 })).toThrow(
      /are a partition each.*a, b without/,
    );
    expect(() => new RedisStreamSource({}, { stream: ["a"], partitions: 2 })).not.toThrow();
  });
});
