import { describe, expect, it } from "@jest/globals";
import { RedisPubSubSource, RedisStreamSource } from "@millrace/redis-source";

const LEDGER = { producers: [], losses: [], bareAt: null, interruptedAt: null, forgottenUntil: null };
const STREAM = { id: "1763848800123-0", entries: 12, ledger: LEDGER };

const streams = new RedisStreamSource({}, { stream: "events" });
const pubsub = new RedisPubSubSource({}, { channel: "events" });

describe("a stored position", () => {
  it("is accepted by the kind of source that wrote it, without a connection", () => {
    expect(() => {
      streams.checkPosition("events", STREAM);
      pubsub.checkPosition("events", LEDGER);
      pubsub.checkPosition("events", null);
    }).not.toThrow();
  });

  it.each([
    ["streams", streams, LEDGER],
    ["streams", streams, null],
    ["streams", streams, 7],
    ["Pub/Sub", pubsub, STREAM],
    ["Pub/Sub", pubsub, 7],
  ])("of another kind of source is refused by %s", (_, source, position) => {
    expect(() => {
      source.checkPosition("events", position);
    }).toThrow(expect.objectContaining({ code: "MILLRACE_REDIS_POSITION_INVALID" }));
  });
});

describe("what comes after a stored position of a stream", () => {
  it.each([
    ["has all that is added in a later millisecond", STREAM, 1_763_848_800_124],
    ["is all there is, before the first entry", { ...STREAM, id: "0-0" }, Number.NEGATIVE_INFINITY],
  ])("%s", (_, position, time) => {
    expect(streams.wholeAfter(position)).toBe(time);
    expect(streams.withOrigin().wholeAfter?.(position)).toBe(time);
  });
});
