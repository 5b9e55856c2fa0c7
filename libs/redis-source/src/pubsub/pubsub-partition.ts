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
import { isFirstTime } from "../connection/first-time.ts";
import { connectRedis } from "../connection/redis-connection.ts";
import type { RedisConnection } from "../connection/redis-connection.ts";
import { producersKey, readProducerRecords } from "../wire/producer-records.ts";
import type { ProducerRecords } from "../wire/producer-records.ts";
import { PartitionLayoutError, QueueOverflowError, RedisUnreachableError } from "../errors.ts";
import type { LayoutGuard } from "../partitions/layout-record.ts";
import { CutOffWatch } from "./cut-off-watch.ts";
import { Inbox } from "./inbox.ts";
import type { DeliverLines } from "./inbox.ts";
import type { PubSubSettings, Topic } from "./pubsub-source-options.ts";
import type { Message } from "./push-reader.ts";
import { tapSocket } from "./socket-tap.ts";
import { onProtocolDesync, ping, subscribe, unsubscribe } from "./subscription.ts";

type Completeness = ReturnType<NonNullable<SourcePartition<unknown>["completeness"]>>;

/** How long a drain waits for each answer of a Redis that hangs. */
const LAST_ANSWER_TIMEOUT_MS = 1_000;
/** A connection can die silently. After this long without a message it is pinged, and has as long again to answer. */
const SILENCE_MS = 5_000;

/** A close shows only when the socket has been read to its end: a loss this soon after a pause may be due to the pause. */
const UNREAD_MEMORY_MS = 60_000;

/** Why a connection that did not answer is given up, for the log. */
const SILENT = "the server did not answer for too long";
const SLOT_MOVED = "The Redis Cluster has taken the channel's slot from the node.";

const END: SourceBatch<never> = Object.freeze({ kind: "end" });

/**
 * Counts of one channel, or of all that match a pattern, since it was subscribed. Events dropped from frames count as lost
 * by the gap that they leave.
 */
export interface PubSubStats extends SourceStats {
  /** Messages that carried the events. */
  readonly messages: number;
  /** Messages that are neither frames nor bare lines. They go to the dead letter, and their events leave a gap. */
  readonly malformed: number;
  /** Events that came after later ones of their producer, and had counted as lost until then. */
  readonly reordered: number;
  /** Events dropped because the queue was full, duplicates included. */
  readonly dropped: number;
  /** Events delivered that may have come before: see `LedgerOptions.maxLosses`. */
  readonly possibleDuplicates: number;
  /** Events whose number or publish time was not believed; a heartbeat counts as one. */
  readonly suspicious: number;
  /** Producers whose numbers are tracked. */
  readonly producers: number;
  /** Producers whose numbers are no longer tracked, because of their silence or at the limit. */
  readonly forgotten: number;
  /** How often the connection was lost. Bare lines published during an outage are lost and cannot be counted. */
  readonly disconnects: number;
  /** How often Redis, surely or most likely, closed the connection because it was read too slowly. */
  readonly cutOffs: number;
  /** How often the socket was not read because the queue was full. */
  readonly pauses: number;
}

/** One subscribed channel, or all channels that match a pattern. */
export class PubSubPartition<T = RawLine> implements SourcePartition<T> {
  readonly #options: RedisConnectionOptions;
  readonly #topic: Topic;
  readonly #settings: PubSubSettings;
  readonly #context: PartContext;
  readonly #inbox: Inbox<T>;
  readonly #watch: CutOffWatch;
  readonly #resumed: boolean;
  readonly #layout: LayoutGuard | undefined;
  /** Wakes the waiting read; there is one at a time. */
  #wake: (() => void) | undefined;
  /** Probes that wait for their answer: an event that comes first decides them. */
  readonly #probes = new Set<() => void>();
  #connection: RedisConnection | undefined;
  #subscribed = false;
  /**
   * When the subscription last showed to be alive, ms: by system time, as messages are stamped, and by monotonic time. Not
   * later than the last message, nor earlier than the last batch.
   */
  #aliveAt = Number.NEGATIVE_INFINITY;
  #heardAt = Number.NEGATIVE_INFINITY;
  /** Whether the clock was already read for a message since the last batch. */
  #noted = false;
  #cancelWatch: (() => void) | undefined;
  #noRecordsLogged = false;
  #paused: Redis | undefined;
  /** When the socket was last left unread (ms). */
  #unreadAt = Number.NEGATIVE_INFINITY;
  #stopping = false;
  #ended = false;
  #failure: { readonly error: unknown } | undefined;
  #pauses = 0;

  private constructor(
    options: RedisConnectionOptions,
    topic: Topic,
    settings: PubSubSettings,
    resume: Json | undefined,
    layout: LayoutGuard | undefined,
    deliver: DeliverLines<T>,
    context: PartContext,
  ) {
    this.#options = options;
    this.#topic = topic;
    this.#settings = settings;
    this.#context = context;
    this.#layout = layout;
    this.#inbox = new Inbox(topic.name, settings, resume, layout, deliver, context);
    this.#watch = new CutOffWatch(topic.name, context);
    this.#resumed = resume !== undefined;
  }

  /** Subscribes. @param settings with how many connections the source takes: see `ConnectSettings` @throws RedisError */
  static async open<T>(
    options: RedisConnectionOptions,
    topic: Topic,
    { needs, ...settings }: PubSubSettings & { readonly needs?: string },
    resume: Json | undefined,
    layout: LayoutGuard | undefined,
    deliver: DeliverLines<T>,
    context: PartContext,
  ): Promise<PubSubPartition<T>> {
    const partition = new PubSubPartition(options, topic, settings, resume, layout, deliver, context);
    partition.#connection = await connectRedis(options, {
      role: `source ${topic.name}`,
      logger: context.logger,
      time: context.time,
      signal: context.signal,
      ...partition.#at,
      needs,
      prepare: (client) => partition.#subscribe(client),
    });
    partition.#watchSilence();
    return partition;
  }

  async nextBatch(): Promise<SourceBatch<T>> {
    for (;;) {
      this.#layout?.throwIfRefused();
      if (this.#inbox.length > 0) {
        if (this.#layout?.isDue(this.#context.time.monotonic()) !== true) return this.#take();
        await this.#lookUnread(this.#layout);
        continue;
      }
      if (this.#failure !== undefined) throw this.#failure.error;
      if (this.#ended) return END;
      // Messages of one socket read arrive together, before this continues: no promise per message.
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  /** Checks the layout before more is read: a queue that grows long stays long while events come fast. */
  async #lookUnread(layout: LayoutGuard): Promise<void> {
    const client = this.#connection?.client;
    client?.stream.pause();
    try {
      await layout.lookAgain(this.#context);
    } finally {
      if (this.#paused !== client) client?.stream.resume();
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

  /** The account of numbers. It cannot bring events back, but shows after a crash how many were missed. */
  snapshot(): Json {
    return this.#inbox.snapshot();
  }

  completeness(open: number, close: number): Completeness {
    return this.#inbox.completeness(open, close);
  }

  settledUpTo(): number {
    return this.#inbox.settledUpTo();
  }

  stats(): PubSubStats {
    return {
      ...this.#inbox.stats(),
      connected: this.#connection?.client !== undefined,
      reconnects: Math.max((this.#connection?.number ?? 0) - 1, 0),
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

  /** The key by which a cluster finds the channel's node. */
  get #at(): { readonly key?: string } {
    return this.#topic.kind === "sharded" ? { key: this.#topic.name } : {};
  }

  /** The queries go in the same write as SUBSCRIBE, before it: what is published until they are answered is not missed. */
  async #subscribe(client: Redis): Promise<void> {
    if (this.#stopping) return;
    const { kind, name: channel } = this.#topic;
    const receive = (from: Buffer, message: Buffer): void => {
      this.#receive([message], client, kind === "pattern" ? from : undefined);
    };
    if (kind !== "pattern") this.#tap(client, channel, kind === "sharded");
    const { step, logger, time } = this.#context;
    const unread = this.#paused !== undefined || time.monotonic() - this.#unreadAt < UNREAD_MEMORY_MS;
    const missedFrom = this.#aliveAt;
    const [records] = await Promise.all([
      this.#recordsOf(client),
      this.#watch.look(client, unread),
      subscribe(client, this.#topic, receive),
    ]);
    onProtocolDesync(client, () => this.#connection?.discard(client, new RedisUnreachableError(SLOT_MOVED)));
    this.#noteAlive();
    if (records === undefined) this.#logNoRecords();
    if (this.#subscribed) this.#inbox.missed(missedFrom, records);
    else this.#inbox.begin(records, this.#resumed);
    this.#subscribed = true;
    logger.info({ event: "subscribed", channel, step }, `subscribed to ${channel}`);
  }

  /** Nothing waits for an answer yet, so this is a place between two replies. */
  #tap(client: Redis, channel: string, sharded: boolean): void {
    const { step, logger, keepsLines } = this.#context;
    const log = (why: string): void => {
      if (!isFirstTime(logger, `library events: ${why}`)) return;
      logger.info(
        { event: "library-events", channel, step },
        `the messages of ${channel} are read by the events of the client library, which costs more CPU time: ${why}`,
      );
    };
    const receive = (messages: readonly Message[]): void => {
      this.#receive(messages, client);
    };
    const why = tapSocket(client, { channel, sharded, cut: keepsLines === false }, receive, log);
    if (why !== undefined) log(why);
  }

  #logNoRecords(): void {
    if (this.#noRecordsLogged) return;
    this.#noRecordsLogged = true;
    const { step, logger } = this.#context;
    const { kind, name: channel } = this.#topic;
    const remedy =
      kind === "pattern"
        ? "Name the channels instead of a pattern."
        : `Allow HGETALL on ${producersKey(channel)}; on a Redis Cluster use sharded Pub/Sub.`;
    logger.info(
      { event: "no-producer-records", channel, step },
      `the records of the producers of ${channel} cannot be read: after a lost connection, losses of producers that ended ` +
        `during the outage stay unknown. ${remedy}`,
    );
  }

  /** With a pattern it is not known which channels have records. */
  #recordsOf(client: Redis): Promise<ProducerRecords | undefined> {
    const { kind, name } = this.#topic;
    return kind === "pattern" ? Promise.resolve(undefined) : readProducerRecords(client, name);
  }

  /** Pings a connection that has been silent for long, and gives it up if it does not answer. */
  #watchSilence(): void {
    const { time } = this.#context;
    if (this.#ended) return;
    const delayMs = Math.max(this.#heardAt + SILENCE_MS - time.monotonic(), SILENCE_MS / 2);
    this.#cancelWatch = time.wakeAfter(delayMs, () => {
      void this.#askIfSilent().then(() => {
        this.#watchSilence();
      });
    });
  }

  async #askIfSilent(): Promise<void> {
    const { time } = this.#context;
    const client = this.#connection?.client;
    void this.#lookAtLayout();
    this.#noted = false;
    const heardAt = this.#heardAt;
    // While the socket is not read, silence says nothing.
    if (client === undefined || this.#paused !== undefined || this.#stopping) return;
    if (time.monotonic() < heardAt + SILENCE_MS || (await this.#within(SILENCE_MS, this.#ask(client))))
      return;
    // If the whole process was suspended, what came is read only now.
    await time.yield();
    if (this.#heardAt === heardAt) this.#connection?.discard(client, new RedisUnreachableError(SILENT));
  }

  /** If nothing arrives, publishers may divide their events into other channels. */
  async #lookAtLayout(): Promise<void> {
    const layout = this.#layout;
    if (layout?.isDue(this.#context.time.monotonic()) !== true) return;
    try {
      await layout.lookAgain(this.#context);
    } catch (error) {
      if (!(error instanceof PartitionLayoutError)) throw error;
      // The next batch throws it.
      this.#notify();
    }
  }

  /** Wakes the waiting read. Without one it does nothing: a read looks before it waits. */
  #notify(): void {
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  }

  #noteAlive(): void {
    const { time } = this.#context;
    this.#aliveAt = time.now();
    this.#heardAt = time.monotonic();
  }

  async #ask(client: Redis): Promise<void> {
    await ping(client);
    this.#noteAlive();
  }

  /** Messages that came together. @param channel only with a pattern */
  #receive(messages: readonly Message[], client: Redis, channel?: Buffer): void {
    if (this.#ended || this.#failure !== undefined) return;
    this.#noteMessage();
    const arrival = this.#inbox.receive(messages, channel);
    if (this.#layout?.refused === true) this.#notify();
    // Heartbeats and the like wake no read.
    if (arrival === "nothing") {
      this.#noted = false;
      return;
    }
    if (arrival === "full") this.#pause(client);
    else if (arrival === "overflow") this.#fail(this.#overflow());
    for (const disturb of this.#probes) disturb();
    this.#notify();
  }

  /** Reads the clock once for all messages between two batches. */
  #noteMessage(): void {
    if (this.#noted) return;
    this.#noted = true;
    this.#noteAlive();
  }

  #take(): SourceBatch<T> {
    this.#noted = false;
    const batch = this.#inbox.take();
    if (this.#paused !== undefined && !this.#inbox.full) {
      this.#paused.stream.resume();
      this.#paused = undefined;
      this.#unreadAt = this.#context.time.monotonic();
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

  /** Fails the partition; what was received before is still delivered. */
  #fail(error: unknown): void {
    if (this.#failure !== undefined) return;
    this.#failure = { error };
    this.#stopping = true;
    void this.#connection?.close();
    this.#notify();
  }

  #overflow(): QueueOverflowError {
    const { maxQueuedEvents, maxQueuedBytes } = this.#settings;
    return new QueueOverflowError(
      `Events of channel "${this.#topic.name}" come faster than they are processed: more than ${maxQueuedEvents} events or ` +
        `${maxQueuedBytes} bytes are queued. Speed the flow up, raise maxQueuedEvents or maxQueuedBytes, ` +
        "or choose another onOverflow policy.",
    );
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
      this.#ask(client).then(
        () => {
          settle("pong");
        },
        () => {
          settle("lost");
        },
      );
    });
  }

  /** The answer to UNSUBSCRIBE proves that everything published before it has arrived. */
  async #unsubscribe(): Promise<void> {
    // Before UNSUBSCRIBE: what is published later is not to be read any more.
    const records = await this.#readRecords();
    const client = this.#connection?.client;
    const answered =
      client !== undefined && (await this.#within(LAST_ANSWER_TIMEOUT_MS, unsubscribe(client, this.#topic)));
    // If it was closed in between, what is missing is not looked for any more.
    if (answered) this.#inbox.learn(records);
    else if (!this.#ended) this.#inbox.missed(this.#aliveAt, records);
    this.#end();
    await this.#connection?.close();
  }

  /** Reads them on a connection of its own, since a subscribed one accepts no such command. */
  async #readRecords(): Promise<ProducerRecords | undefined> {
    const { logger, time } = this.#context;
    const { kind, name } = this.#topic;
    if (kind === "pattern") return undefined;
    const giveUp = new AbortController();
    const cancel = time.wakeAfter(LAST_ANSWER_TIMEOUT_MS, () => {
      giveUp.abort();
    });
    let records: ProducerRecords | undefined;
    try {
      const connection = await connectRedis(this.#options, {
        role: `source ${name} records`,
        logger,
        time,
        signal: giveUp.signal,
        ...this.#at,
        prepare: async (client) => {
          records = await readProducerRecords(client, name);
        },
      });
      await connection.close();
    } catch {
      // Redis is away, or refuses this user: then nothing is known.
    } finally {
      cancel();
    }
    return records;
  }

  /** Whether Redis answers in time; while the socket is not read, time does not count. */
  async #within(limitMs: number, answer: Promise<unknown>): Promise<boolean> {
    const { time } = this.#context;
    let cancel: (() => void) | undefined;
    const limit = new Promise<boolean>((resolve) => {
      const over = (): void => {
        // A paused socket says nothing about Redis; reading continues as the queue empties.
        if (this.#paused === undefined || this.#ended) resolve(false);
        else arm();
      };
      const arm = (): void => {
        cancel = time.wakeAfter(limitMs, over);
      };
      arm();
    });
    const answered = answer.then(
      () => true,
      () => false,
    );
    const inTime = await Promise.race([limit, answered]);
    cancel?.();
    return inTime;
  }

  #end(): void {
    this.#ended = true;
    this.#cancelWatch?.();
    for (const disturb of this.#probes) disturb();
    this.#notify();
  }
}
