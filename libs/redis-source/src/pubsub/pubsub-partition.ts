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
import type { RedisConnectionOptions } from "../connection/connection-options.ts";
import { connectRedis } from "../connection/redis-connection.ts";
import type { RedisConnection } from "../connection/redis-connection.ts";
import { QueueOverflowError, RedisUnreachableError } from "../errors.ts";
import { Signal } from "../signal.ts";
import { CutOffWatch } from "./cut-off-watch.ts";
import { Inbox } from "./inbox.ts";
import type { PubSubSettings } from "./pubsub-source-options.ts";
import { onOutOfStep, ping, subscribe, unsubscribe } from "./subscription.ts";

type Completeness = ReturnType<NonNullable<SourcePartition<unknown>["completeness"]>>;

/** A Redis that hangs does not hold up a drain for longer than this. */
const UNSUBSCRIBE_TIMEOUT_MS = 1_000;

/** A socket that is not read does not tell that it was closed: that is seen after it has been read to its end. */
const UNREAD_MEMORY_MS = 60_000;

const OUT_OF_STEP = "The Redis Cluster has taken the channel's slot from the node.";

const END: SourceBatch<RawLine> = Object.freeze({ kind: "end" });

/** Counts of one channel since it was subscribed. What was dropped from frames counts as lost by the gap that it leaves. */
export interface PubSubStats extends SourceStats {
  /** Messages that carried the events. */
  readonly messages: number;
  /** Messages that are neither frames nor bare lines; the dead letter has them, and their events leave a gap. */
  readonly malformed: number;
  /** Events that came behind later ones of their producer, and had counted as lost until then. */
  readonly reordered: number;
  /** Dropped because the queue was full, also what would have been a duplicate. */
  readonly dropped: number;
  /** Producers whose numbers are followed. */
  readonly producers: number;
  /** Producers whose numbers are not followed any more, for their silence or at the bound. */
  readonly forgotten: number;
  /** How often the connection was lost. What bare lines were published meanwhile is lost and cannot be counted. */
  readonly disconnects: number;
  /** How often Redis, surely or most likely, closed the connection because it was read too slowly. */
  readonly cutOffs: number;
  /** How often the socket was not read because the queue was full. */
  readonly pauses: number;
}

/** One subscribed channel. */
export class PubSubPartition implements SourcePartition<RawLine> {
  readonly #channel: string;
  readonly #settings: PubSubSettings;
  readonly #context: PartContext;
  readonly #inbox: Inbox;
  readonly #watch: CutOffWatch;
  readonly #arrival = new Signal();
  /** Probes under way: any event that comes before their answer decides them. */
  readonly #probes = new Set<() => void>();
  #connection: RedisConnection | undefined;
  /** There is a hole before the next subscription. */
  #interrupted: boolean;
  #paused: Redis | undefined;
  /** When the socket was last left unread (ms). */
  #unreadAt = Number.NEGATIVE_INFINITY;
  #stopping = false;
  #ended = false;
  #overflow: QueueOverflowError | undefined;
  #pauses = 0;

  private constructor(
    channel: string,
    settings: PubSubSettings,
    resume: Json | undefined,
    context: PartContext,
  ) {
    this.#channel = channel;
    this.#settings = settings;
    this.#context = context;
    this.#inbox = new Inbox(settings, resume, context);
    this.#watch = new CutOffWatch(channel, context);
    this.#interrupted = resume !== undefined;
  }

  /** Subscribes. @throws RedisError */
  static async open(
    options: RedisConnectionOptions,
    channel: string,
    settings: PubSubSettings,
    resume: Json | undefined,
    context: PartContext,
  ): Promise<PubSubPartition> {
    const partition = new PubSubPartition(channel, settings, resume, context);
    partition.#connection = await connectRedis(options, {
      role: `source ${channel}`,
      logger: context.logger,
      time: context.time,
      signal: context.signal,
      ...(settings.transport === "sharded" ? { key: channel } : {}),
      prepare: (client) => partition.#subscribe(client),
    });
    return partition;
  }

  async nextBatch(): Promise<SourceBatch<RawLine>> {
    for (;;) {
      if (this.#inbox.length > 0) return this.#take();
      if (this.#overflow !== undefined) throw this.#overflow;
      if (this.#ended) return END;
      // Messages of one socket read arrive in one stroke, before this goes on: no promise per message.
      await this.#arrival.wait();
    }
  }

  async drained(): Promise<Drained | undefined> {
    const connection = this.#connection;
    while (connection !== undefined && this.#inbox.length === 0 && !this.#ended) {
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

  /** The account of numbers. It brings nothing back, but tells after a crash what was missed. */
  snapshot(): Json {
    return this.#inbox.snapshot();
  }

  completeness(open: number, close: number): Completeness {
    return this.#inbox.completeness(open, close);
  }

  stats(): PubSubStats {
    return {
      ...this.#inbox.stats(),
      disconnects: this.#connection?.disconnects ?? 0,
      cutOffs: this.#watch.cutOffs,
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
    this.#inbox.clear();
    this.#end();
    await this.#connection?.close();
  }

  async #subscribe(client: Redis): Promise<void> {
    if (this.#stopping) return;
    const channel = this.#channel;
    const unread = this.#paused !== undefined || this.#context.time.now() - this.#unreadAt < UNREAD_MEMORY_MS;
    await this.#watch.look(client, unread);
    await subscribe(client, channel, this.#settings.transport, (message) => {
      this.#receive(message, client);
    });
    onOutOfStep(client, () => this.#connection?.discard(client, new RedisUnreachableError(OUT_OF_STEP)));
    if (this.#interrupted) this.#inbox.interrupted();
    this.#interrupted = true;
    const { step, logger } = this.#context;
    logger.info({ event: "subscribed", channel, step }, `subscribed to ${channel}`);
  }

  #receive(message: Buffer, client: Redis): void {
    if (this.#ended) return;
    this.#inbox.receive(message);
    if (this.#inbox.overflowed) this.#fail();
    // Heartbeats and the like are nothing to wait for.
    if (this.#inbox.length === 0) return;
    if (this.#settings.onOverflow === "pause" && this.#inbox.full) this.#pause(client);
    for (const disturb of this.#probes) disturb();
    this.#arrival.notify();
  }

  #take(): SourceBatch<RawLine> {
    const batch = this.#inbox.take();
    if (this.#paused !== undefined && !this.#inbox.full) {
      this.#paused.stream.resume();
      this.#paused = undefined;
      this.#unreadAt = this.#context.time.now();
    }
    return { kind: "batch", ...batch };
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
      ping(client).then(
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
    const client = this.#connection?.client;
    const answer = client && unsubscribe(client, this.#channel, this.#settings.transport);
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
