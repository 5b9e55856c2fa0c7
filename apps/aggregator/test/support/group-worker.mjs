/* A worker that counts as mobile-counts does, and shares the topic's partitions by Kafka's own group. */
import { Dataflow, run } from "@millrace/dataflow";
import { createClickProjection } from "@millrace/event-schema";
import { KafkaAssignment, KafkaSource } from "@millrace/kafka-source";
import { RedisStore } from "@millrace/redis-store";
import { messageTime, tumbling } from "@millrace/windowing";

const [brokers, topic, ending] = process.argv.slice(2);
const line = (level) => (fields, msg) =>
  process.stderr.write(`${JSON.stringify({ level, ...fields, msg })}\n`);
const logger = { debug() {}, info: line("info"), warn: line("warn"), error: line("error") };
const stop = new globalThis.AbortController();
process.once("SIGTERM", () => stop.abort());

const store = new RedisStore({ url: process.env.REDIS_URL });
const flow = new Dataflow("grouped");
flow
  .input("clicks", new KafkaSource({ brokers }, { topic, partitionedBy: "os_timezone" }))
  .decode(createClickProjection(["os_timezone", "device_is_mobile"]))
  .keyBy("os_timezone")
  .window("windows", tumbling("200ms"), messageTime({ wait: "1s" }))
  .reduce(
    "mobile",
    (click) => Number(click.device_is_mobile),
    (a, b) => a + b,
  )
  .mapValue((value, { key }) => ({ timezone: key, num_mobile_users: value }))
  .output("out", store.results({ row: ({ value }) => value }));
const shared = { assignment: new KafkaAssignment({ brokers }, { sessionTimeoutMs: 1_000 }) };
const alone = { exitWhenIdleMs: 1_000, closeWindows: true };
await run(flow, { store, logger, signal: stop.signal, ...(ending === "alone" ? alone : shared) });
await store.close();
