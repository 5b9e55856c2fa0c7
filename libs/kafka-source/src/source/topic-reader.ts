import type { BrokerClient, PartitionAnswer } from "../connection/kafka-client.ts";
import { CODES, errorOf } from "../connection/protocol-codes.ts";
import type { KafkaCluster } from "../connection/kafka-cluster.ts";
import { KafkaTopicError } from "../errors.ts";
import type { KafkaError } from "../errors.ts";

/** While a partition waits for room, a read of the others may not wait for long (ms): there may be room at any time. */
const BRIEF_WAIT_MS = 20;

/** Where a partition continues because its log no longer has what comes next. */
export interface Jump {
  readonly to: number;
  /** Offsets that retention deleted before they were read. */
  readonly lost: number;
  /** The id of the topic, if it is another one of the same name, or the log is shorter than it was; else `undefined`. */
  readonly reset: string | undefined;
}

/** A partition, as the reader sees it. */
export interface Feed {
  readonly partition: number;
  /** The id of the topic whose offsets these are. */
  readonly topicId: string;
  /** The next offset to read. */
  readonly offset: number;
  /** Whether it has room for more. When it has again, {@link TopicReader.wake} must be called. */
  readonly hasRoom: boolean;
  take(answer: PartitionAnswer): void;
  jump(jump: Jump): void;
  fail(error: Error): void;
}

/** Bounds of a read. */
export interface ReaderSettings {
  /** How long a read may wait for records, ms. */
  readonly maxWaitMs: number;
  readonly maxFetchBytes: number;
}

/**
 * Reads the partitions of a topic: one read after the other for each broker, of all its partitions that have room, since a
 * broker answers the requests of a connection one by one.
 */
export class TopicReader {
  readonly #cluster: KafkaCluster;
  readonly #settings: ReaderSettings;
  readonly #feeds = new Map<number, Feed>();
  /** The nodes that are read. */
  readonly #nodes = new Set<number>();
  #waiting: (() => void)[] = [];

  constructor(cluster: KafkaCluster, settings: ReaderSettings) {
    this.#cluster = cluster;
    this.#settings = settings;
  }

  add(feed: Feed): void {
    this.#feeds.set(feed.partition, feed);
    this.#begin();
    this.wake();
  }

  remove(feed: Feed): void {
    if (this.#feeds.get(feed.partition) === feed) this.#feeds.delete(feed.partition);
    this.wake();
  }

  /** Something has changed: a partition has come or gone, or has room again. */
  wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const go of waiting) go();
  }

  /** Reads from each node that leads a partition. */
  #begin(): void {
    const { leaders } = this.#cluster.metadata;
    for (const { partition } of this.#feeds.values()) {
      const node = leaders[partition] ?? -1;
      if (this.#nodes.has(node)) continue;
      this.#nodes.add(node);
      void this.#readNode(node);
    }
  }

  async #readNode(node: number): Promise<void> {
    try {
      while (this.#ledBy(node).length > 0) {
        if (this.#ledBy(node).some(({ hasRoom }) => hasRoom)) {
          await this.#cluster.retry(() => this.#readOnce(node));
        } else {
          await new Promise<void>((resolve) => this.#waiting.push(resolve));
        }
      }
    } catch (error) {
      const failure = error instanceof Error ? error : new Error(String(error));
      for (const feed of this.#ledBy(node)) this.#fail(feed, failure);
    }
    this.#nodes.delete(node);
  }

  async #readOnce(node: number): Promise<void> {
    // After a change of leader other nodes have their partitions.
    this.#begin();
    const all = this.#ledBy(node);
    const asked = all.filter(({ hasRoom }) => hasRoom);
    if (asked.length === 0) return;
    const broker = await this.#cluster.broker(node);
    await Promise.all(
      asked.filter(({ topicId }) => this.#isAnother(topicId)).map((feed) => this.#restart(broker, feed)),
    );
    const { maxWaitMs, maxFetchBytes } = this.#settings;
    const answers = await broker.read(this.#cluster.topic, asked, {
      maxWaitMs: asked.length === all.length ? maxWaitMs : Math.min(BRIEF_WAIT_MS, maxWaitMs),
      maxBytesPerPartition: maxFetchBytes,
    });
    const feeds = new Map(asked.map((feed) => [feed.partition, feed]));
    let failure: KafkaError | undefined;
    for (const answer of answers) {
      const feed = feeds.get(answer.partition);
      if (feed === undefined || this.#feeds.get(answer.partition) !== feed) continue;
      failure ??= await this.#give(broker, feed, answer);
    }
    // The other partitions have their records. The cause is gone after a while, or with another leader.
    if (failure !== undefined) throw failure;
  }

  /** @returns why it is to be asked again later; `undefined`: it has been given what there is */
  async #give(broker: BrokerClient, feed: Feed, answer: PartitionAnswer): Promise<KafkaError | undefined> {
    if (answer.error === CODES.none) {
      feed.take(answer);
      return undefined;
    }
    if (answer.error === CODES.offsetOutOfRange) {
      await this.#relocate(broker, feed);
      return undefined;
    }
    const failure = errorOf(answer.error, `a read of ${this.#cluster.topic}-${feed.partition}`);
    if (failure.retryable || failure instanceof KafkaTopicError) return failure;
    this.#fail(feed, failure);
    return undefined;
  }

  /** The log does not have the offset: retention has overtaken it, or the log is shorter than it was. */
  async #relocate(broker: BrokerClient, feed: Feed): Promise<void> {
    const { topicId } = await this.#cluster.refresh();
    if (this.#isAnother(feed.topicId)) {
      await this.#restart(broker, feed);
      return;
    }
    const { topic } = this.#cluster;
    const [first, end] = await Promise.all([
      broker.endOf(topic, feed.partition, "earliest"),
      broker.endOf(topic, feed.partition, "latest"),
    ]);
    if (feed.offset < first) feed.jump({ to: first, lost: first - feed.offset, reset: undefined });
    else if (feed.offset > end) feed.jump({ to: end, lost: 0, reset: topicId });
  }

  /** The topic was deleted, and one of the same name was made. */
  async #restart(broker: BrokerClient, feed: Feed): Promise<void> {
    const { topic, metadata } = this.#cluster;
    const to = await broker.endOf(topic, feed.partition, "earliest");
    feed.jump({ to, lost: 0, reset: metadata.topicId });
  }

  #isAnother(topicId: string): boolean {
    return topicId !== this.#cluster.metadata.topicId;
  }

  #ledBy(node: number): readonly Feed[] {
    const { leaders } = this.#cluster.metadata;
    return [...this.#feeds.values()].filter(({ partition }) => (leaders[partition] ?? -1) === node);
  }

  #fail(feed: Feed, error: Error): void {
    this.#feeds.delete(feed.partition);
    feed.fail(error);
  }
}
