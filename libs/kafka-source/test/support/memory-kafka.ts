import { KafkaUnreachableError } from "@millrace/kafka-source";
import type {
  BrokerClient,
  KafkaClient,
  PartitionToRead,
  TopicMetadata,
} from "../../src/connection/kafka-client.ts";
import { resolveKafka } from "../../src/connection/connection-options.ts";
import { KafkaCluster } from "../../src/connection/kafka-cluster.ts";
import { loadKafkaClient } from "../../src/connection/kafkats-client.ts";
import { CODES } from "../../src/connection/protocol-codes.ts";
import type { TestContext } from "./part-context.ts";

interface StoredRecord {
  readonly value: string;
  readonly time: number;
}

/** A cluster in memory with one topic of one partition, whose tests need no broker. Its first broker leads the partition. */
export class MemoryKafka {
  readonly hosts: readonly string[];
  /** Hosts whose brokers answer nothing. */
  readonly silent = new Set<string>();
  /** Each request, as `host what`. */
  readonly requests: string[] = [];
  /** What a commit of offsets does. */
  onCommit: (offsets: ReadonlyMap<number, number>) => Promise<void> = () => Promise.resolve();
  readonly #real: KafkaClient;
  #records: StoredRecord[] = [];
  #topicId = "topic-1";
  #logStart = 0;
  readonly #waiting = new Set<() => void>();

  private constructor(hosts: readonly string[], real: KafkaClient) {
    this.hosts = hosts;
    this.#real = real;
  }

  static async start(hosts: readonly string[] = ["a"]): Promise<MemoryKafka> {
    return new MemoryKafka(hosts, await loadKafkaClient());
  }

  /** As a source or a sink opens it. */
  open(context: TestContext): Promise<KafkaCluster> {
    const target = resolveKafka({ brokers: this.hosts });
    return KafkaCluster.open(target, "clicks", context, () => Promise.resolve(this.#client()));
  }

  write(value: string, time: number): void {
    this.#records.push({ value, time });
    this.#wake();
  }

  /** As retention does. */
  deleteUpTo(offset: number): void {
    this.#logStart = offset;
    this.#wake();
  }

  /** Deletes the topic, and makes it again. */
  makeAgain(): void {
    this.#topicId += "'";
    this.#records = [];
    this.#logStart = 0;
    this.#wake();
  }

  get end(): number {
    return this.#records.length;
  }

  #client(): KafkaClient {
    const connect = (_target: unknown, { host }: { host: string }): Promise<BrokerClient> =>
      Promise.resolve(this.#broker(host));
    return { ...this.#real, connect };
  }

  #broker(host: string): BrokerClient {
    let closed = false;
    const ask = async <T>(what: string, answer: () => T | Promise<T>): Promise<T> => {
      this.requests.push(`${host} ${what}`);
      const request = `${what} at ${host}`;
      if (closed || this.silent.has(host))
        throw new KafkaUnreachableError(`No answer to ${request}.`, { request });
      await Promise.resolve();
      return answer();
    };
    const nothing = (): Promise<never> =>
      Promise.reject(new Error("the cluster in memory does not answer that"));
    return {
      get connected() {
        return !closed;
      },
      metadata: () => ask("metadata", () => this.#metadata()),
      read: (_topic, partitions) =>
        ask("read", async () => {
          const [{ offset } = { offset: 0 }] = partitions;
          while (!closed && offset === this.end)
            await new Promise<void>((resolve) => this.#waiting.add(resolve));
          return partitions.map((each) => this.#read(each));
        }),
      endOf: (_topic, _partition, which) =>
        ask("end", () => (which === "earliest" ? this.#logStart : this.end)),
      coordinatorOf: () => ask("coordinator", () => ({ node: 0, host: this.hosts[0] ?? "", port: 9_092 })),
      commitOffsets: (_group, _topic, offsets) => ask("offsets", () => this.onCommit(offsets)),
      ...{ write: nothing, beginProducer: nothing, joinGroup: nothing, syncGroup: nothing },
      ...{ heartbeat: nothing, leaveGroup: nothing, describeGroup: nothing, firstSince: nothing },
      close: () => {
        closed = true;
        this.#wake();
        return Promise.resolve();
      },
    };
  }

  #metadata(): TopicMetadata {
    const nodes = new Map(this.hosts.map((host, node) => [node, { host, port: 9_092 }]));
    return { topicId: this.#topicId, leaders: [0], nodes };
  }

  #read({ partition, offset }: PartitionToRead): Awaited<ReturnType<BrokerClient["read"]>>[number] {
    const gone = offset < this.#logStart || offset > this.end;
    return {
      partition,
      error: gone ? CODES.offsetOutOfRange : CODES.none,
      highWatermark: this.end,
      logStart: this.#logStart,
      aborted: [],
      records: gone ? Buffer.alloc(0) : Buffer.concat(this.#records.slice(offset).map(this.#batchOf(offset))),
    };
  }

  /** Each record is a batch of its own. */
  #batchOf(first: number): (record: StoredRecord, i: number) => Buffer {
    const producer = { producerId: -1n, producerEpoch: -1 };
    return ({ value, time }, i) => {
      const record = { key: null, value: Buffer.from(value), headers: [] };
      const batch = this.#real.encodeBatch([record], time, producer, -1);
      batch.writeBigInt64BE(BigInt(first + i), 0);
      return batch;
    };
  }

  #wake(): void {
    for (const go of this.#waiting) go();
    this.#waiting.clear();
  }
}
