import { KafkaClient, responses } from "@kafkats/client";
import type { LocalKafka } from "@millrace/local-kafka";

let topics = 0;

/** Another program that uses the same broker: it makes topics, writes and reads, by a producer and a client of its own. */
export class OtherSide implements AsyncDisposable {
  readonly client: KafkaClient;

  private constructor(client: KafkaClient) {
    this.client = client;
  }

  static async connect(kafka: LocalKafka): Promise<OtherSide> {
    const client = new KafkaClient({ brokers: [kafka.broker], clientId: "other-side", logLevel: "silent" });
    await client.connect();
    return new OtherSide(client);
  }

  /** Makes a topic that no other test has, and returns its name. */
  async topic(partitions = 1, configs: Readonly<Record<string, string>> = {}): Promise<string> {
    topics += 1;
    const name = `topic-${topics}`;
    await this.client.createTopics([{ name, numPartitions: partitions, configs: { ...configs } }]);
    // A broker may answer that it has made a topic before it shows it.
    while (!(await this.client.getMetadata()).topics.has(name));
    return name;
  }

  /** Writes one record for each value. */
  async write(topic: string, values: readonly (string | Buffer)[], partition = 0): Promise<void> {
    const producer = this.client.producer({ lingerMs: 0 });
    await producer.send(
      topic,
      values.map((value) => ({ value: Buffer.from(value), partition })),
    );
    await producer.disconnect();
  }

  /** All values of a partition up to its end, also those of transactions that are not committed. */
  async valuesOf(topic: string, partition = 0): Promise<readonly string[]> {
    return (await this.recordsOf(topic, partition)).map(({ value }) => String(value));
  }

  /** All records of a partition up to its end. */
  async recordsOf(topic: string, partition = 0): Promise<readonly ReadRecord[]> {
    const records: ReadRecord[] = [];
    for (let offset = 0n; ;) {
      const answer = await this.client.fetch(topic, partition, offset, { maxWaitMs: 100 });
      for (const batch of await responses.decodePartitionRecordBatches(answer)) {
        records.push(...batch.records);
        offset = batch.baseOffset + BigInt(batch.lastOffsetDelta) + 1n;
      }
      if (offset >= answer.highWatermark) return records;
    }
  }

  /** Removes all members of a group, as its administrator may. */
  async removeMembers(group: string): Promise<void> {
    const broker = await this.client.cluster.getCoordinator("GROUP", group);
    const { groups } = await broker.describeGroups({ groups: [group] });
    const members = groups.flatMap((each) => each.members).map(({ memberId }) => ({ memberId }));
    await broker.leaveGroup({ groupId: group, members });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.client.disconnect();
  }
}

/** A record, as the client shows it. */
export interface ReadRecord {
  readonly offset: bigint;
  readonly timestamp: bigint;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: readonly { readonly key: string; readonly value: Buffer | null }[];
}
