import { describe, expect, it } from "@jest/globals";
import { SYSTEM_TIME } from "@millrace/dataflow";
import { assignmentConformance } from "@millrace/dataflow/testing";
import { KafkaAssignment, inspectTopic } from "@millrace/kafka-source";
import { RecordingTasks, SESSION_MS, joinGroup, partsOf, until, wait } from "../support/group-worker.ts";
import { partContext } from "../support/part-context.ts";
import type { Suite } from "./bench.ts";

const PARTITIONS = 8;

export const assignment: Suite = (bench) => {
  describe("KafkaAssignment, as any shared assignment", () => {
    const cases = assignmentConformance({
      async open() {
        const { kafka, other } = bench();
        const topic = await other.topic(PARTITIONS);
        const options = { group: `${topic}-workers`, sessionTimeoutMs: SESSION_MS };
        return {
          parts: partsOf(topic),
          worker: () => ({
            assignment: new KafkaAssignment({ brokers: kafka.broker }, options),
            time: SYSTEM_TIME,
          }),
          until,
          pass: () => wait(SESSION_MS / 2),
          close: () => Promise.resolve(),
        };
      },
    });
    for (const { name, run } of cases) it(name, run);
  });

  describe("KafkaAssignment", () => {
    it("is shown by inspectTopic and by Kafka's own tools, with the partitions of each worker", async () => {
      const { kafka, other } = bench();
      const topic = await other.topic(PARTITIONS);
      const workers = [await joinGroup(kafka, topic), await joinGroup(kafka, topic)];
      await until(() => workers.every(({ tasks }) => tasks.running.size === 4), "two even shares");
      const { members } = await inspectTopic(
        { brokers: kafka.broker },
        { topic, positions: new Map(), groups: [topic, `${topic}-workers`] },
      );
      const [first, second] = [...members].sort((a, b) => ((a.parts[0] ?? "") < (b.parts[0] ?? "") ? -1 : 1));
      const one = { group: `${topic}-workers`, member: expect.any(String), host: "127.0.0.1" };
      expect(first).toMatchObject({ ...one, parts: partsOf(topic).slice(0, 4) });
      expect(second).toMatchObject({ ...one, parts: partsOf(topic).slice(4) });
      const group = ["--group", `${topic}-workers`, "--describe", "--members", "--verbose"];
      const shown = await kafka.run({
        main: "org.apache.kafka.tools.consumer.group.ConsumerGroupCommand",
        args: ["--bootstrap-server", kafka.broker, ...group],
      });
      const shares = [...shown.matchAll(new RegExp(` ${topic}:([\\d,]+) `, "g"))].map(([, share]) => share);
      expect(shares.sort()).toEqual(["0,1,2,3", "4,5,6,7"]);
      for (const { membership } of workers) await membership.leave();
    });

    it("loses what it had when Kafka has removed the worker, and joins again", async () => {
      const { kafka, other } = bench();
      const topic = await other.topic(PARTITIONS);
      const { tasks, context, membership } = await joinGroup(kafka, topic);
      expect(tasks.running.size).toBe(PARTITIONS);
      await other.removeMembers(`${topic}-workers`);
      // It is asked after the removal, so the answer is that of the new membership.
      expect(await membership.confirm(`${topic}-3`)).toBe(true);
      expect(tasks.calls).toEqual([
        ...Array<string>(PARTITIONS).fill("assigned"),
        ...Array<string>(PARTITIONS).fill("lost"),
        ...Array<string>(PARTITIONS).fill("assigned"),
      ]);
      expect(context.logger.of("session-over")).toHaveLength(1);
      await membership.leave();
    });

    it("names the cause to a worker that shares other partitions", async () => {
      const { kafka, other } = bench();
      const topic = await other.topic(PARTITIONS);
      const { membership } = await joinGroup(kafka, topic);
      await expect(joinGroup(kafka, topic, partsOf(topic, PARTITIONS + 1))).rejects.toMatchObject({
        code: "MILLRACE_KAFKA_GROUP_DIFFERS",
        message: expect.stringMatching(/do not share the 9 partitions .* another group/),
      });
      await membership.leave();
    });

    it("refuses partitions that are not those of a topic, and a session that the broker does not accept", async () => {
      const { kafka, other } = bench();
      const topic = await other.topic(PARTITIONS);
      await expect(joinGroup(kafka, topic, ["{clicks:0}"])).rejects.toMatchObject({
        code: "MILLRACE_KAFKA_OPTIONS_INVALID",
        message: expect.stringContaining("RedisAssignment"),
      });
      const hasty = new KafkaAssignment({ brokers: kafka.broker }, { sessionTimeoutMs: 100 });
      await expect(
        hasty.join(partsOf(topic), new RecordingTasks(), partContext(topic)),
      ).rejects.toMatchObject({
        code: "MILLRACE_KAFKA_REFUSED",
        message: expect.stringContaining("group.min.session.timeout.ms"),
      });
    });
  });
};
