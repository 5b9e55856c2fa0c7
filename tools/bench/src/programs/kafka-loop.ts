import { KafkaClient, responses } from "@kafkats/client";
import { lineCounter } from "./common.ts";

/*
 * The hand-written loops on the client that Millrace uses, over partition 0, without state: its consumer with a callback
 * for each batch, or its `fetch`, which takes less. Arguments: broker, topic, "consumer" or "fetch".
 */
const [broker = "", topic = "", form] = process.argv.slice(2);
const count = lineCounter();
const client = new KafkaClient({ clientId: "bench", brokers: [broker], logLevel: "silent" });
await client.connect();
if (form === "consumer") {
  const consumer = client.consumer({ groupId: "loop", maxRecords: 10_000, autoOffsetReset: "earliest" });
  const assignment = [{ topic, partition: 0, offset: 0n }];
  const take = (messages: readonly { readonly value: Buffer }[]): Promise<void> => {
    for (const { value } of messages) count(value.toString());
    return Promise.resolve();
  };
  await consumer.runBatch(topic, take, { assignment, commitOffsets: false });
} else {
  for (let offset = 0n; ;) {
    const answer = await client.fetch(topic, 0, offset, { maxWaitMs: 500 });
    for (const batch of await responses.decodePartitionRecordBatches(answer)) {
      for (const { value } of batch.records) count(value?.toString() ?? "");
      offset = batch.baseOffset + BigInt(batch.lastOffsetDelta) + 1n;
    }
  }
}
