import { Dataflow, run } from "@millrace/dataflow";
import type { Assignment, CommitDone } from "@millrace/dataflow";
import { createClickProjection } from "@millrace/event-schema";
import { KafkaAssignment, KafkaSource } from "@millrace/kafka-source";
import { RedisStreamSource } from "@millrace/redis-source";
import { RedisAssignment, RedisStore } from "@millrace/redis-store";
import { messageTime, tumbling } from "@millrace/windowing";
import { CHANNEL } from "../lab/bed.ts";
import "./common.ts";

/*
 * A worker that shares partitions with others and counts as `mobile-counts` does. It prints when it joins, what it is given, what
 * is taken from it, and its commits: time, what, partition.
 * Arguments: Redis, Kafka or "", "leases" (in Redis) or "group" (of Kafka), lease in ms, partitions, field that divides them.
 */
/** A record of Kafka has the time of its producer, and arrives later: on a busy machine by seconds. */
const WAIT_MS = 10_000;

/** With many partitions there are as many hashes of rows for each window. */
const LONG_WINDOW_MS = 10_000;

const [url = "", brokers = "", by, lease = "", partitions = "", partitionedBy = ""] = process.argv.slice(2);
const store = new RedisStore({ url });
const source =
  brokers === ""
    ? new RedisStreamSource({ url }, { stream: CHANNEL, partitions: Number(partitions), partitionedBy })
    : new KafkaSource({ brokers }, { topic: CHANNEL, partitionedBy });
const assignment =
  by === "leases"
    ? new RedisAssignment({ url }, { leaseMs: Number(lease) })
    : new KafkaAssignment({ brokers }, { sessionTimeoutMs: Number(lease) });
const flow = new Dataflow("mobile_counts");
flow
  .input("clicks", source)
  .decode(createClickProjection(["os_timezone", "device_is_mobile"]))
  // So that every partition has events; the rows of all of them add up.
  .keyBy("os_timezone", { perPartition: true })
  .window("windows", tumbling(LONG_WINDOW_MS), messageTime({ wait: WAIT_MS }))
  .reduce(
    "mobile",
    (click) => Number(click.device_is_mobile),
    (a, b) => a + b,
  )
  .mapValue((value, { key }) => ({ timezone: key, num_mobile_users: value }))
  .output("out", store.results({ row: ({ value }) => value }));
const stop = new AbortController();
process.on("SIGTERM", () => {
  stop.abort();
});
await run(flow, {
  store,
  assignment: announced(assignment),
  signal: stop.signal,
  observers: [{ commitDone }],
});
process.disconnect();

function commitDone({ part }: CommitDone): void {
  say("commit", part);
}

/** The same assignment, which says what it does. */
function announced(inner: Assignment): Assignment {
  return {
    shared: inner.shared,
    join: (parts, tasks, context) => {
      say("joining", "");
      return inner.join(
        parts,
        {
          assigned: (part) => {
            say("assigned", part);
            tasks.assigned(part);
          },
          revoked: async (part) => {
            await tasks.revoked(part);
            say("gone", part);
          },
          lost: (part) => {
            say("gone", part);
            tasks.lost(part);
          },
          failed: (error) => {
            tasks.failed(error);
          },
        },
        context,
      );
    },
  };
}

function say(what: string, part: string): void {
  process.stdout.write(`${Date.now()} ${what} ${part}\n`);
}
