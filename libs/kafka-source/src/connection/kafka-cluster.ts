import { pause } from "@millrace/dataflow";
import type { PartContext } from "@millrace/dataflow";
import { KafkaClosedError, KafkaError, KafkaNotReadyError, KafkaTopicError } from "../errors.ts";
import type { BrokerAddress, KafkaTarget } from "./connection-options.ts";
import type { BrokerClient, KafkaClient, TopicMetadata } from "./kafka-client.ts";
import { loadKafkaClient } from "./kafkats-client.ts";
import { OutageLog } from "./outage-log.ts";

/** After so long (ms) without an answer the log says so. */
const SLOW_MS = 10_000;

type ClusterContext = Pick<PartContext, "logger" | "time" | "signal" | "step">;

/** The brokers of a cluster as one source or sink of one topic uses them: connections, leaders, retries. */
export class KafkaCluster {
  readonly client: KafkaClient;
  readonly topic: string;
  readonly #target: KafkaTarget;
  readonly #context: ClusterContext;
  readonly #log: OutageLog;
  readonly #closing = new AbortController();
  readonly #closed: Promise<never>;
  /** By address: a broker may be known by its place in the options before it is known by its number. */
  readonly #brokers = new Map<string, Promise<BrokerClient>>();
  /** All that were made and not closed. */
  readonly #made = new Set<BrokerClient>();
  #metadata: TopicMetadata;
  #refreshing: Promise<TopicMetadata> | undefined;
  /** By group. */
  readonly #coordinators = new Map<string, BrokerAddress>();
  #connections = 0;

  /**
   * Connects, and looks at the topic.
   *
   * @throws KafkaClientMissingError; KafkaError if there is no usable Kafka within `connectTimeoutMs`; KafkaTopicError if
   *   there is no such topic; the reason of the context's signal
   */
  static async open(
    target: KafkaTarget,
    topic: string,
    context: ClusterContext,
    load: () => Promise<KafkaClient> = loadKafkaClient,
  ): Promise<KafkaCluster> {
    const client = await load();
    const cluster = new KafkaCluster(client, target, topic, context);
    const deadline = context.time.monotonic() + target.connectTimeoutMs;
    try {
      await cluster.retry(() => cluster.refresh(), deadline);
      return cluster;
    } catch (error) {
      await cluster.close();
      context.signal.throwIfAborted();
      throw error;
    }
  }

  private constructor(client: KafkaClient, target: KafkaTarget, topic: string, context: ClusterContext) {
    this.client = client;
    this.topic = topic;
    this.#target = target;
    this.#context = context;
    this.#log = new OutageLog(target.address, context);
    this.#metadata = { topicId: "", leaders: [], nodes: new Map() };
    const { signal } = this.#closing;
    this.#closed = new Promise((_, reject) => {
      signal.addEventListener("abort", () => {
        reject(new KafkaClosedError(`the connection to ${target.address} was closed`));
      });
    });
    // It matters only to those who wait for it.
    this.#closed.catch(() => undefined);
    context.signal.addEventListener("abort", () => void this.close(), { once: true });
  }

  get metadata(): TopicMetadata {
    return this.#metadata;
  }

  get address(): string {
    return this.#target.address;
  }

  /** How many connections were made. */
  get connections(): number {
    return this.#connections;
  }

  /** How often requests began to fail. */
  get outages(): number {
    return this.#log.outages;
  }

  /** How often they succeeded again. */
  get recoveries(): number {
    return this.#log.recoveries;
  }

  get isClosed(): boolean {
    return this.#closing.signal.aborted;
  }

  /** Reads the topic's leaders again. @throws KafkaError */
  refresh(): Promise<TopicMetadata> {
    this.#refreshing ??= this.#refresh().finally(() => {
      this.#refreshing = undefined;
    });
    return this.#refreshing;
  }

  /** The broker that leads a partition. @throws KafkaError */
  async leaderOf(partition: number): Promise<BrokerClient> {
    const node = this.#metadata.leaders[partition] ?? -1;
    return this.broker(node);
  }

  /** A broker by its number. @throws KafkaError */
  async broker(node: number): Promise<BrokerClient> {
    const address = this.#metadata.nodes.get(node);
    if (address === undefined) {
      throw new KafkaNotReadyError(`A partition of topic "${this.topic}" has no leader at ${this.address}.`);
    }
    return this.#connected(address);
  }

  /** Asks one broker after the other until one answers. @throws KafkaError */
  async anyBroker<T>(ask: (broker: BrokerClient) => Promise<T>): Promise<T> {
    let failure: unknown;
    for (const address of [...this.#metadata.nodes.values(), ...this.#target.brokers]) {
      try {
        return await ask(await this.#connected(address));
      } catch (error) {
        failure = error;
        if (this.isClosed || (error instanceof KafkaError && !error.retryable)) throw error;
      }
    }
    throw failure;
  }

  /** The broker that keeps a group's offsets. @throws KafkaError */
  async coordinatorOf(group: string): Promise<BrokerClient> {
    const known = this.#coordinators.get(group);
    const address = known ?? (await this.anyBroker((broker) => broker.coordinatorOf(group)));
    this.#coordinators.set(group, address);
    return this.#connected(address);
  }

  /** Waits for an answer, and logs that it takes long before the time limit of the request, which may be much later. */
  async reportIfSlow<T>(what: string, answer: Promise<T>): Promise<T> {
    const cancel = this.#context.time.wakeAfter(SLOW_MS, () => {
      this.#log.slow(what, SLOW_MS);
    });
    try {
      return await answer;
    } finally {
      cancel();
    }
  }

  /**
   * Repeats an attempt that fails for now, with back-off, and asks for the leaders before each repetition.
   *
   * @param deadline by the monotonic clock, ms, after which the last failure counts. `@default none`
   * @throws KafkaError; KafkaClosedError
   */
  async retry<T>(attempt: () => Promise<T>, deadline = Number.POSITIVE_INFINITY): Promise<T> {
    const repetition = this.#log.begin();
    let succeeded = false;
    try {
      for (let again = false; ; again = true) {
        try {
          this.#throwIfClosed();
          const made = (again ? this.refresh() : Promise.resolve(this.#metadata)).then(attempt);
          const result = await Promise.race([made, this.#closed]);
          succeeded = true;
          return result;
        } catch (error) {
          this.#throwIfClosed();
          if (!(error instanceof KafkaError)) throw error;
          // A broker that has just started may not know its topics yet.
          const passing = error instanceof KafkaTopicError && deadline === Number.POSITIVE_INFINITY;
          if (!error.retryable && !passing) throw error;
          const { time } = this.#context;
          if (time.monotonic() >= deadline) throw error;
          this.#coordinators.clear();
          await pause(time, repetition.failed(error), this.#closing.signal);
        }
      }
    } finally {
      repetition.ended(succeeded);
    }
  }

  /** Rejects what is outstanding. Idempotent. */
  async close(): Promise<void> {
    if (this.isClosed) return;
    this.#closing.abort();
    // A connection that is being made is closed as soon as it is there.
    await Promise.all(Array.from(this.#made, (broker) => broker.close()));
  }

  async #refresh(): Promise<TopicMetadata> {
    this.#metadata = await this.anyBroker((broker) => broker.metadata(this.topic));
    return this.#metadata;
  }

  #connected(address: BrokerAddress): Promise<BrokerClient> {
    const name = `${address.host}:${address.port}`;
    const before = this.#brokers.get(name);
    const made = before === undefined ? this.#connect(address) : this.#reconnect(before, address);
    this.#brokers.set(name, made);
    // A failed attempt is not kept.
    made.catch(() => {
      if (this.#brokers.get(name) === made) this.#brokers.delete(name);
    });
    return made;
  }

  async #reconnect(before: Promise<BrokerClient>, address: BrokerAddress): Promise<BrokerClient> {
    const broker = await before;
    if (broker.connected) return broker;
    this.#made.delete(broker);
    await broker.close();
    return this.#connect(address);
  }

  async #connect(address: BrokerAddress): Promise<BrokerClient> {
    this.#throwIfClosed();
    const broker = await this.client.connect(this.#target, address, this.#context.time);
    if (this.isClosed) await broker.close();
    this.#throwIfClosed();
    this.#made.add(broker);
    this.#connections += 1;
    return broker;
  }

  #throwIfClosed(): void {
    if (this.isClosed) throw new KafkaClosedError(`the connection to ${this.address} was closed`);
  }
}
