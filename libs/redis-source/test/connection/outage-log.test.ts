import { describe, expect, it } from "@jest/globals";
import { VirtualTime } from "@millrace/dataflow/testing";
import { OutageLog } from "../../src/connection/outage-log.ts";
import { RedisAuthError, RedisUnreachableError } from "../../src/errors.ts";
import { RecordingLogger } from "../support/recording-logger.ts";

const AT = "cache:6379";

function start(): { time: VirtualTime; logger: RecordingLogger; log: OutageLog; events: () => unknown[] } {
  const time = new VirtualTime();
  const logger = new RecordingLogger();
  const log = new OutageLog({ role: "test", logger, time, random: () => 1 });
  return { time, logger, log, events: () => logger.entries.map(({ event }) => event) };
}

describe("the log of outages", () => {
  it("logs when the connection is lost and when it is back", () => {
    const { log, events } = start();
    log.lost(AT, "read ECONNRESET");
    log.back(AT, 2);
    expect(events()).toEqual(["redis-lost", "redis-back"]);
  });

  it("logs repeated losses once, and once that the connection stays up", () => {
    const { time, log, logger, events } = start();
    for (let i = 0; i < 300; i += 1) {
      log.lost(AT, "UNBLOCKED force unblock");
      time.set(time.now() + log.nextDelayMs());
      log.back(AT, i + 2);
    }
    const logged = events().filter((event) => event !== "redis-away");
    expect(logged).toEqual(["redis-lost", "redis-back", "redis-lost"]);
    expect(logger.of("redis-lost")[1]?.message).toMatch("reconnecting until the connection stays up");
    time.set(time.now() + 10_000);
    expect(events().at(-1)).toBe("redis-back");
  });

  it("logs another reason", () => {
    const { log, logger } = start();
    for (const reason of ["a", "a", "a", "b", "a", "b"]) {
      log.lost(AT, reason);
      log.back(AT, 2);
    }
    expect(logger.of("redis-lost").map(({ fields }) => fields)).toEqual(
      ["a", "a", "b"].map((reason) => ({ event: "redis-lost", redis: AT, role: "test", reason })),
    );
  });

  it("logs each obstacle once, but not that no server answers, and reminds every 30 s", () => {
    const { time, log, logger, events } = start();
    log.lost(AT, "read ECONNRESET");
    const unreachable = new RedisUnreachableError("No Redis", { cause: new Error("connect ECONNREFUSED") });
    for (let second = 0; second < 65; second += 1) {
      time.set(second * 1_000);
      log.failed(AT, unreachable);
      log.failed(AT, new RedisUnreachableError("loading"));
      log.failed(AT, new RedisAuthError("refused"));
    }
    expect(events()).toEqual(["redis-lost", "redis-not-ready", "redis-refused", "redis-away", "redis-away"]);
    expect(logger.of("redis-away")[1]?.message).toBe(
      "no stable connection to cache:6379 for 60 s (test): No Redis",
    );
  });

  it("starts over after a connection that lasted", () => {
    const { time, log, events } = start();
    log.lost(AT, "a");
    expect([log.nextDelayMs(), log.nextDelayMs()]).toEqual([50, 100]);
    log.back(AT, 2);
    time.set(10_000);
    log.lost(AT, "a");
    expect(log.nextDelayMs()).toBe(50);
    expect(events()).toEqual(["redis-lost", "redis-back", "redis-lost"]);
  });
});
