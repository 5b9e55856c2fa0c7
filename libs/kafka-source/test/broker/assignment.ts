import { describe, expect, it } from "@jest/globals";
import { SYSTEM_TIME } from "@millrace/dataflow";
import type { AssignedTasks } from "@millrace/dataflow";
import { assignmentConformance } from "@millrace/dataflow/testing";
import { KafkaAssignment } from "@millrace/kafka-source";
import { partContext } from "../support/part-context.ts";
import type { TestContext } from "../support/part-context.ts";
import type { Suite } from "./bench.ts";

/** A broker refuses sessions of less than 6 s. */
export const SHORT_SESSIONS = { "group.min.session.timeout.ms": "500" };

const SESSION_MS = 1_000;
const PARTITIONS = 8;

const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

async function until(met: () => boolean, what: string): Promise<void> {
  for (let left = 300; !met(); left -= 1) {
    if (left === 0) throw new Error(`there is still not ${what}`);
    await wait(SESSION_MS / 50);
  }
}

/** Writes down what it is asked for. */
class Recorder implements AssignedTasks {
  readonly calls: string[] = [];
  readonly running = new Set<string>();
  readonly failures: Error[] = [];

  assigned(part: string): void {
    this.calls.push("assigned");
    this.running.add(part);
  }

  revoked(part: string): Promise<void> {
    this.calls.push("revoked");
    this.running.delete(part);
    return Promise.resolve();
  }

  lost(part: string): void {
    this.calls.push("lost");
    this.running.delete(part);
  }

  failed(error: Error): void {
    this.failures.push(error);
  }
}

export const assignment: Suite = (bench) => {
  const partsOf = (topic: string, count = PARTITIONS): readonly string[] =>
    Array.from({ length: count }, (_, partition) => `${topic}-${partition}`);

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
    const join = async (
      topic: string,
      parts = partsOf(topic),
    ): Promise<{ tasks: Recorder; context: TestContext; leave: () => Promise<void>; member: Member }> => {
      const context = partContext(topic);
      const tasks = new Recorder();
      const options = { sessionTimeoutMs: SESSION_MS };
      const worker = new KafkaAssignment({ brokers: bench().kafka.broker }, options);
      const member = await worker.join(parts, tasks, context);
      return { tasks, context, member, leave: () => member.leave() };
    };
    type Member = Awaited<ReturnType<KafkaAssignment["join"]>>;

    it("is shown by Kafka's own tools, with the partitions of each worker", async () => {
      const { kafka, other } = bench();
      const topic = await other.topic(PARTITIONS);
      const workers = [await join(topic), await join(topic)];
      await until(() => workers.every(({ tasks }) => tasks.running.size === 4), "two even shares");
      const group = ["--group", `${topic}-workers`, "--describe", "--members"];
      const shown = await kafka.run({
        main: "org.apache.kafka.tools.consumer.group.ConsumerGroupCommand",
        args: ["--bootstrap-server", kafka.broker, ...group],
      });
      const members = shown.split("\n").filter((line) => line.startsWith(`${topic}-workers`));
      expect(members.map((line) => line.trim().split(/\s+/).at(-1))).toEqual(["4", "4"]);
      for (const { leave } of workers) await leave();
    });

    it("loses what it had when Kafka has removed the worker, and joins again", async () => {
      const { other } = bench();
      const topic = await other.topic(PARTITIONS);
      const { tasks, context, member } = await join(topic);
      expect(tasks.running.size).toBe(PARTITIONS);
      await other.removeMembers(`${topic}-workers`);
      // It is asked after the removal, so the answer is that of the new membership.
      expect(await member.confirm(`${topic}-3`)).toBe(true);
      expect(tasks.calls).toEqual([
        ...Array<string>(PARTITIONS).fill("assigned"),
        ...Array<string>(PARTITIONS).fill("lost"),
        ...Array<string>(PARTITIONS).fill("assigned"),
      ]);
      expect(context.logger.of("session-over")).toHaveLength(1);
      await member.leave();
    });

    it("keeps its partitions while the broker starts again, or loses them, and ends with all", async () => {
      const { kafka, other } = bench();
      const topic = await other.topic(PARTITIONS);
      const { tasks, context, leave } = await join(topic);
      await kafka.kill();
      await context.logger.logged("session-over");
      expect(tasks.running.size).toBe(0);
      await kafka.restart();
      await until(() => tasks.running.size === PARTITIONS, "a worker with all partitions");
      await leave();
      expect(tasks.failures).toEqual([]);
    });

    it("names the cause to a worker that shares other partitions", async () => {
      const topic = await bench().other.topic(PARTITIONS);
      const { leave } = await join(topic);
      await expect(join(topic, partsOf(topic, PARTITIONS + 1))).rejects.toMatchObject({
        code: "MILLRACE_KAFKA_GROUP_DIFFERS",
        message: expect.stringMatching(/do not share the 9 partitions .* another group/),
      });
      await leave();
    });

    it("refuses partitions that are not those of a topic, and a session that the broker does not accept", async () => {
      const { kafka, other } = bench();
      const topic = await other.topic(PARTITIONS);
      await expect(join(topic, ["{clicks:0}"])).rejects.toMatchObject({
        code: "MILLRACE_KAFKA_OPTIONS_INVALID",
        message: expect.stringContaining("RedisAssignment"),
      });
      const hasty = new KafkaAssignment({ brokers: kafka.broker }, { sessionTimeoutMs: 100 });
      await expect(hasty.join(partsOf(topic), new Recorder(), partContext(topic))).rejects.toMatchObject({
        code: "MILLRACE_KAFKA_REFUSED",
        message: expect.stringContaining("group.min.session.timeout.ms"),
      });
    });
  });
};
