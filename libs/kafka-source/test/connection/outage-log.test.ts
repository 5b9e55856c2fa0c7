import { describe, expect, it } from "@jest/globals";
import { VirtualTime } from "@millrace/dataflow/testing";
import { KafkaNotReadyError, KafkaUnreachableError } from "@millrace/kafka-source";
import { OutageLog } from "../../src/connection/outage-log.ts";
import { RecordingLogger } from "../support/part-context.ts";

describe("the log of outages", () => {
  it("says each reason once and then every 30 s, and that all is back when nothing fails any more", () => {
    const time = new VirtualTime();
    const logger = new RecordingLogger();
    const log = new OutageLog("Kafka at a", { logger, time, step: "clicks" }, () => 1);
    const [reads, commits] = [log.begin(), log.begin()];
    const failure = new KafkaUnreachableError("gone.");
    expect([1, 2, 3].map(() => reads.failed(failure))).toEqual([50, 100, 200]);
    commits.failed(failure);
    commits.ended(true);
    // The reads still fail: nothing is back, and nothing new is said.
    reads.failed(failure);
    expect(logger.entries.map(({ event }) => event)).toEqual(["kafka-lost"]);
    time.set(30_000);
    expect(reads.failed(failure)).toBe(800);
    expect(reads.failed(failure)).toBe(1_600);
    expect(reads.failed(failure)).toBe(2_000);
    reads.ended(true);
    log.begin().ended(true);
    expect(logger.entries.map(({ event }) => event)).toEqual(["kafka-lost", "kafka-lost", "kafka-back"]);
    expect([log.outages, log.recoveries]).toEqual([1, 1]);
  });

  it("says what is the same each 30 s, whatever the details, and back only when a request succeeds", () => {
    const time = new VirtualTime();
    const logger = new RecordingLogger();
    const log = new OutageLog("Kafka at a", { logger, time, step: "clicks" }, () => 1);
    const [reads, writes] = [log.begin(), log.begin()];
    for (let n = 0; n < 6; n += 1) {
      time.set(n * 10_000);
      reads.failed(new KafkaUnreachableError(`Request ${n} timed out.`, { request: "a read at a" }));
    }
    expect(logger.of("kafka-lost").map(({ message }) => message)).toEqual([
      "Request 0 timed out. Trying again.",
      "Request 3 timed out. Trying again.",
    ]);
    writes.failed(new KafkaUnreachableError("Request 9 timed out.", { request: "a write at a" }));
    expect(logger.of("kafka-lost")).toHaveLength(3);
    reads.ended(false);
    writes.ended(false);
    expect([log.outages, log.recoveries]).toEqual([1, 0]);
    // Also one that has not failed itself.
    log.begin().ended(true);
    expect(logger.of("kafka-back")).toHaveLength(1);
    expect([log.outages, log.recoveries]).toEqual([1, 1]);
  });

  it("says nothing of a broker that is ready within 5 s", () => {
    const time = new VirtualTime();
    const logger = new RecordingLogger();
    const log = new OutageLog("Kafka at a", { logger, time, step: "clicks" }, () => 1);
    const loading = new KafkaNotReadyError("loading.");
    const commits = log.begin();
    commits.failed(loading);
    time.set(4_999);
    commits.failed(loading);
    commits.ended(true);
    expect(logger.entries).toEqual([]);

    const again = log.begin();
    again.failed(loading);
    time.set(9_999);
    again.failed(loading);
    again.ended(true);
    expect(logger.entries.map(({ event }) => event)).toEqual(["kafka-lost", "kafka-back"]);
    expect([log.outages, log.recoveries]).toEqual([2, 2]);
  });
});
