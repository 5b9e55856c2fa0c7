import type { AssignedTasks, Membership } from "@millrace/dataflow";
import { KafkaAssignment } from "@millrace/kafka-source";
import type { LocalKafka } from "@millrace/local-kafka";
import { partContext } from "./part-context.ts";
import type { TestContext } from "./part-context.ts";

/** A broker refuses sessions of less than 6 s, unless it has this property. */
export const SHORT_SESSIONS = { "group.min.session.timeout.ms": "500" };

export const SESSION_MS = 1_000;

export const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Returns as soon as `met` holds. */
export async function until(met: () => boolean, what: string): Promise<void> {
  for (let left = 300; !met(); left -= 1) {
    if (left === 0) throw new Error(`there is still not ${what}`);
    await wait(SESSION_MS / 50);
  }
}

/** Partitions of a topic. */
export function partsOf(topic: string, count = 8): readonly string[] {
  return Array.from({ length: count }, (_, partition) => `${topic}-${partition}`);
}

/** Writes down what it is asked for. */
export class RecordingTasks implements AssignedTasks {
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

/** A worker that shares a topic by Kafka's group. */
export interface GroupWorker {
  readonly tasks: RecordingTasks;
  readonly context: TestContext;
  readonly membership: Membership;
}

/** A new member of the group `<topic>-workers`. */
export async function joinGroup(
  kafka: LocalKafka,
  topic: string,
  parts = partsOf(topic),
): Promise<GroupWorker> {
  const context = partContext(topic);
  const tasks = new RecordingTasks();
  const assignment = new KafkaAssignment({ brokers: kafka.broker }, { sessionTimeoutMs: SESSION_MS });
  return { tasks, context, membership: await assignment.join(parts, tasks, context) };
}
