import type { Redis } from "ioredis";
import type {
  Drained,
  Json,
  PartContext,
  RawLine,
  SourceBatch,
  SourcePartition,
  SourceStats,
} from "@millrace/dataflow";
import { bytesOf } from "../bytes-of.ts";
import type { RedisConnectionOptions } from "../connection/connection-options.ts";
import { connectRedis } from "../connection/redis-connection.ts";
import type { RedisConnection } from "../connection/redis-connection.ts";
import { QueueOverflowError } from "../errors.ts";
import { Signal } from "../signal.ts";
import { EventQueue } from "./event-queue.ts";
import type { QueueSettings } from "./pubsub-source-options.ts";

/** A Redis that hangs does not hold up a drain for longer than this. */
const UNSUBSCRIBE_TIMEOUT_MS = 1_000;

const END: SourceBatch<RawLine> = Object.freeze({ kind: "end" });

/** Counts of one channel since it was subscribed. */
export interface PubSubStats extends SourceStats {
  /** Messages that carried the events. */
  readonly messages: number;
  /** How often the connection was lost; what was published meanwhile is lost and cannot be counted. */
  readonly disconnects: number;
  /** How often the socket was not read because the queue was full. */
  readonly pauses: number;
}

/** One subscribed channel. */
export class PubSubPartition implements SourcePartition<RawLine> {
  readonly #channel: string;
  readonly #settings: QueueSettings;
  readonly #context: PartContext;
  readonly #queue: EventQueue<RawLine>;
  readonly #arrival = new Signal();
  /** Probes under way: any message that comes before their answer decides them. */
  readonly #probes = new Set<() => void>();
  #connection: RedisConnection | undefined;
  #paused: Redis | undefined;
  #stopping = false;
  #ended = false;
  #overflow: QueueOverflowError | undefined;
  #read = 0;
  #lost = 0;
  #messages = 0;
  #pauses = 0;

  private constructor(channel: string, settings: QueueSettings, context: PartContext) {
    const { maxQueuedEvents: maxEvents, maxQueuedBytes: maxBytes, maxBatchEvents } = settings;
    this.#channel = channel;
    this.#settings = settings;
    this.#context = context;
    this.#queue = new EventQueue({ maxEvents, maxBytes, maxBatchEvents }, bytesOf);
  }

  /** Subscribes. @throws RedisError */
  static async open(
    options: RedisConnectionOptions,
    channel: string,
    settings: QueueSettings,
    context: PartContext,
  ): Promise<PubSubPartition> {
    const partition = new PubSubPartition(channel, settings, context);
    partition.#connection = await connectRedis(options, {
      role: `source ${channel}`,
      logger: context.logger,
      time: context.time,
      signal: context.signal,
      prepare: (client) => partition.#subscribe(client),
    });
    return partition;
  }

  async nextBatch(): Promise<SourceBatch<RawLine>> {
    for (;;) {
      if (this.#queue.length > 0) return this.#take();
      if (this.#overflow !== undefined) throw this.#overflow;
      if (this.#ended) return END;
      // Messages of one socket read arrive in one stroke, before this goes on: no promise per message.
      await this.#arrival.wait();
    }
  }

  async drained(): Promise<Drained | undefined> {
    const connection = this.#connection;
    while (connection !== undefined && this.#queue.length === 0 && !this.#ended) {
      const client = connection.client ?? (await connection.whenUp().catch(() => undefined));
      if (client === undefined) return undefined;
      const proof = { at: this.#context.time.now(), connection: connection.number };
      const answer = await this.#probe(client);
      if (answer === "pong") return proof;
      if (answer === "message") return undefined;
      connection.discard(client);
    }
    return undefined;
  }

  /** Pub/Sub has no position to go back to. */
  snapshot(): Json {
    return null;
  }

  stats(): PubSubStats {
    return {
      read: this.#read,
      duplicates: 0,
      lost: this.#lost,
      queued: this.#queue.length,
      messages: this.#messages,
      disconnects: this.#connection?.disconnects ?? 0,
      pauses: this.#pauses,
    };
  }

  stop(): void {
    if (this.#stopping) return;
    this.#stopping = true;
    void this.#unsubscribe();
  }

  async close(): Promise<void> {
    this.#stopping = true;
    while (this.#queue.length > 0) this.#queue.takeBatch();
    this.#end();
    await this.#connection?.close();
  }

  async #subscribe(client: Redis): Promise<void> {
    if (this.#stopping) return;
    const channel = this.#channel;
    client.on("messageBuffer", (_channel, message: Buffer) => {
      this.#receive(message, client);
    });
    await client.subscribe(channel);
    const { step, logger } = this.#context;
    logger.info({ event: "subscribed", channel, step }, `subscribed to ${channel}`);
  }

  #receive(message: Buffer, client: Redis): void {
    if (this.#ended) return;
    this.#messages += 1;
    const lines = this.#settings.messageCodec.split(message);
    if (typeof lines === "string") this.#admit(lines, message.length);
    else if (lines instanceof Uint8Array) this.#admit(lines, lines.length);
    else for (const line of lines) this.#admit(line, bytesOf(line));
    if (this.#settings.onOverflow === "pause" && this.#queue.full) this.#pause(client);
    for (const disturb of this.#probes) disturb();
    this.#arrival.notify();
  }

  #admit(line: RawLine, bytes: number): void {
    if (this.#queue.full || this.#overflow !== undefined) {
      switch (this.#settings.onOverflow) {
        case "pause":
          // The socket is paused, but what had been read from it is here: the queue takes it.
          break;
        case "drop-oldest":
          while (this.#queue.full) {
            this.#queue.dropOldest();
            this.#lost += 1;
          }
          break;
        case "drop-newest":
          this.#lost += 1;
          return;
        case "fail":
          this.#lost += 1;
          this.#fail();
          return;
      }
    }
    this.#queue.push(line, bytes);
  }

  #take(): SourceBatch<RawLine> {
    const events = this.#queue.takeBatch();
    this.#read += events.length;
    if (this.#paused !== undefined && !this.#queue.full) {
      this.#paused.stream.resume();
      this.#paused = undefined;
    }
    return { kind: "batch", events };
  }

  #pause(client: Redis): void {
    // After a reconnect the paused socket is another one.
    if (this.#paused === client) return;
    this.#paused = client;
    this.#pauses += 1;
    client.stream.pause();
  }

  #fail(): void {
    if (this.#overflow !== undefined) return;
    const { maxQueuedEvents, maxQueuedBytes } = this.#settings;
    this.#overflow = new QueueOverflowError(
      `Events of channel "${this.#channel}" come faster than they are processed: more than ${maxQueuedEvents} events or ` +
        `${maxQueuedBytes} bytes are queued. Speed the flow up, raise maxQueuedEvents or maxQueuedBytes, ` +
        "or choose another onOverflow policy.",
    );
    this.#stopping = true;
    void this.#connection?.close();
  }

  /** Redis answers in order: a message published before the PING was handled comes before its answer. */
  #probe(client: Redis): Promise<"pong" | "message" | "lost"> {
    return new Promise((resolve) => {
      const settle = (answer: "pong" | "message" | "lost"): void => {
        this.#probes.delete(disturb);
        resolve(answer);
      };
      const disturb = (): void => {
        settle("message");
      };
      this.#probes.add(disturb);
      client.ping().then(
        () => {
          settle("pong");
        },
        () => {
          settle("lost");
        },
      );
    });
  }

  /** The answer to UNSUBSCRIBE is the proof that everything published before it is here. */
  async #unsubscribe(): Promise<void> {
    const { time } = this.#context;
    let cancel: (() => void) | undefined;
    const limit = new Promise<void>((resolve) => {
      const over = (): void => {
        // A paused socket says nothing about Redis; it is read on as the queue empties.
        if (this.#paused === undefined || this.#ended) resolve();
        else arm();
      };
      const arm = (): void => {
        cancel = time.wakeAt(time.now() + UNSUBSCRIBE_TIMEOUT_MS, over);
      };
      arm();
    });
    const answer = this.#connection?.client?.unsubscribe(this.#channel);
    await Promise.race([limit, answer?.catch(() => undefined)]);
    cancel?.();
    this.#end();
    await this.#connection?.close();
  }

  #end(): void {
    this.#ended = true;
    for (const disturb of this.#probes) disturb();
    this.#arrival.notify();
  }
}
