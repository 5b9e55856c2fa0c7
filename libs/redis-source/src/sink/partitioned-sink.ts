import type { Json, PartContext, Sink, SinkPartition, StartContext } from "@millrace/dataflow";
import { resolveTarget } from "../connection/connection-options.ts";
import type { RedisConnectionOptions } from "../connection/connection-options.ts";
import { writingNeeds } from "../connection/explain-failure.ts";
import { connectRedis } from "../connection/redis-connection.ts";
import {
  LAYOUT_ATTRIBUTE,
  LayoutRecord,
  LayoutRefusals,
  checkLayout,
  isOnePartition,
} from "../partitions/layout-record.ts";
import type { LayoutSubject, PublisherLayout } from "../partitions/layout-record.ts";
import { formatLayout, partitionOf } from "../partitions/partition-layout.ts";
import { RetryingClient } from "../connection/retrying-client.ts";
import { LastingNumbers } from "../wire/lasting-numbers.ts";
import { RecordKeeper } from "../wire/producer-records.ts";
import { MessageSender, NO_COUNTS } from "./message-sender.ts";
import type { SendCounts } from "./message-sender.ts";
import { PartitionWriter, sumOf } from "./partition-writer.ts";
import type { WriterFraming, WriterStats } from "./partition-writer.ts";
import type { PartitionedSinkSettings } from "./sink-options.ts";
import type { PublishRow, Transport } from "./transport.ts";

/**
 * Writes rows to Redis, in order, divided by their key among channels or streams: each as a message, or packed into
 * frames. Each channel or stream has a connection of its own.
 *
 * A flush resolves when Redis has accepted every row. A write resolves when Redis has accepted its rows, or, if they go into
 * frames, those of the writes before it: one write is on its way while the next one is made.
 * When a connection is lost, the sink waits for the next one and sends again what has no answer. Nothing is left out, but
 * messages from just before the loss may be there twice. Frames keep their numbers, so that a source drops the repetition.
 * Write and flush reject if Redis refuses for good, and if the signal of the context is aborted.
 */
export abstract class PartitionedSink implements Sink<PublishRow> {
  readonly #connection: RedisConnectionOptions;
  readonly #layout: PublisherLayout;
  readonly #settings: PartitionedSinkSettings;
  /** Parts that are open or being opened. */
  #users = 0;
  #record: Promise<LayoutRecord> | undefined;
  /** A check in progress, which all parts share. */
  #check: Promise<void> | undefined;
  readonly #open = new Set<SinkPart>();
  #built = 0;
  #counts = NO_COUNTS;
  /** The sum over the parts that were closed. */
  #closed = sumOf([]);

  /** @throws RedisOptionsError */
  protected constructor(
    connection: RedisConnectionOptions,
    transport: LayoutSubject["transport"],
    settings: PartitionedSinkSettings,
  ) {
    resolveTarget(connection);
    this.#connection = connection;
    const { name, names, framing, layout, relayout } = settings;
    const subject = { name, transport, needs: writingNeeds(names.length, framing?.lasting === true) };
    this.#layout = { redis: connection, subject, layout, replace: relayout, refusals: new LayoutRefusals() };
    this.#settings = settings;
  }

  /** Makes the transport of one channel or stream. @param address of Redis, for messages */
  protected abstract transportTo(name: string, address: string, context: PartContext): Transport;

  /** Called when the counts have changed. */
  protected abstract progressed(): void;

  /**
   * Checks that there is a Redis, and which partition layout is recorded there. It does not open the sink, since readers
   * would notice a publisher that begins and ends again.
   *
   * @throws PartitionLayoutError if a publisher has recorded another partition layout; RedisError if there is no usable
   *   Redis within `connectTimeoutMs`; the reason of the context's signal
   */
  checkResume(_part: string, _resume: Json | undefined, context: StartContext): Promise<void> {
    this.#check ??= checkLayout(this.#layout, context).finally(() => {
      this.#check = undefined;
    });
    return this.#check;
  }

  /**
   * @throws PartitionLayoutError if a publisher has recorded another partition layout; ProducerNameError if another
   *   publisher holds the name of a lasting producer; RedisError if there is no usable Redis within `connectTimeoutMs`; the
   *   reason of the context's signal
   */
  async buildPart(
    _part: string,
    _resume: Json | undefined,
    context: PartContext,
  ): Promise<SinkPartition<PublishRow>> {
    const { names, keyOf } = this.#settings;
    // Two parts number their rows independently, so they are two producers.
    const number = this.#built;
    this.#built += 1;
    const writers: PartitionWriter[] = [];
    this.#users += 1;
    let record: LayoutRecord | undefined;
    try {
      record = await this.#recordLayout(context);
      for (const name of names) writers.push(await this.#openWriter(name, number, context));
    } catch (error) {
      await Promise.all([...writers.map((writer) => writer.close()), this.#leave()]);
      throw error;
    }
    const part = new SinkPart(writers, keyOf, record, async () => {
      if (!this.#open.delete(part)) return;
      this.#closed = sumOf([this.#closed, part.stats()]);
      await this.#leave();
    });
    this.#open.add(part);
    return part;
  }

  /** Counts of all rows so far. */
  protected figures(): SendCounts & WriterStats {
    const { disconnects, waits, unsent } = sumOf([
      this.#closed,
      ...Array.from(this.#open, (part) => part.stats()),
    ]);
    return { ...this.#counts, disconnects, waits, unsent };
  }

  async #openWriter(name: string, part: number, context: PartContext): Promise<PartitionWriter> {
    const { maxInFlightBytes } = this.#settings;
    const { logger, time, signal } = context;
    const framing = await this.#framingOf(name, part, context);
    let sender: MessageSender | undefined;
    try {
      const transport = this.transportTo(name, resolveTarget(this.#connection).address, context);
      const connection = await connectRedis(this.#connection, {
        role: `sink ${name}`,
        logger,
        time,
        signal,
        needs: this.#layout.subject.needs,
        ...(transport.key === undefined ? {} : { key: transport.key }),
        ...(transport.prepare === undefined ? {} : { prepare: transport.prepare }),
      });
      const redis = new RetryingClient(connection, { ...context, key: name });
      sender = new MessageSender(redis, transport, maxInFlightBytes, (counts) => {
        this.#count(counts);
      });
      if (framing === undefined || this.#layout.subject.transport === "stream") {
        // A stream keeps its frames, so it needs no record.
        return new PartitionWriter(sender, framing, context);
      }
      const keeper = new RecordKeeper(name, framing.producer, context);
      const record: WriterFraming["record"] = (known) => keeper.keep(connection.client, known);
      return new PartitionWriter(sender, { ...framing, record }, context);
    } catch (error) {
      await Promise.all([framing?.numbers?.release(), sender?.close()]);
      throw error;
    }
  }

  async #framingOf(name: string, part: number, context: PartContext): Promise<WriterFraming | undefined> {
    const { name: whole, framing, layout } = this.#settings;
    if (framing === undefined) return undefined;
    const attributes = isOnePartition(whole) ? {} : { [LAYOUT_ATTRIBUTE]: formatLayout(layout) };
    const producer = `${framing.producer}.${part}`;
    if (!framing.lasting) return { ...framing, producer, attributes };
    const numbers = await LastingNumbers.claim(this.#connection, name, producer, context);
    return { ...framing, producer: numbers.producer, attributes, numbers };
  }

  /** The first part records the layout for all. */
  async #recordLayout(context: PartContext): Promise<LayoutRecord | undefined> {
    if (isOnePartition(this.#settings.name)) return undefined;
    this.#record ??= LayoutRecord.open(this.#layout, context);
    return this.#record;
  }

  /** The last part closes the record. */
  async #leave(): Promise<void> {
    this.#users -= 1;
    if (this.#users > 0) return;
    const record = this.#record;
    this.#record = undefined;
    (await record?.catch(() => undefined))?.close();
  }

  #count({ published, messages, bytes, unheard, resent }: SendCounts): void {
    const before = this.#counts;
    this.#counts = {
      published: before.published + published,
      messages: before.messages + messages,
      bytes: before.bytes + bytes,
      unheard: before.unheard + unheard,
      resent: before.resent + resent,
    };
    this.progressed();
  }
}

/** One part of a sink: its rows, divided by their key among the channels or streams that it writes to. */
class SinkPart implements SinkPartition<PublishRow> {
  readonly #writers: readonly PartitionWriter[];
  readonly #keyOf: ((row: PublishRow) => string) | undefined;
  readonly #layout: LayoutRecord | undefined;
  readonly #onClosed: () => Promise<void>;

  constructor(
    writers: readonly PartitionWriter[],
    keyOf: ((row: PublishRow) => string) | undefined,
    layout: LayoutRecord | undefined,
    onClosed: () => Promise<void>,
  ) {
    this.#writers = writers;
    this.#keyOf = keyOf;
    this.#layout = layout;
    this.#onClosed = onClosed;
  }

  stats(): WriterStats {
    return sumOf(this.#writers.map((writer) => writer.stats()));
  }

  /** @throws PartitionLayoutError if another publisher has changed the layout */
  async writeBatch(rows: readonly PublishRow[]): Promise<void> {
    this.#layout?.throwIfRefused();
    const keyOf = this.#keyOf;
    const [only, ...others] = this.#writers;
    if (only === undefined) return;
    if (others.length === 0 || keyOf === undefined) {
      await only.write(rows);
      return;
    }
    const shares: PublishRow[][] = this.#writers.map(() => []);
    for (const row of rows) shares[partitionOf(keyOf(row), shares.length)]?.push(row);
    await Promise.all(this.#writers.map((writer, index) => writer.write(shares[index] ?? [])));
  }

  /** @throws PartitionLayoutError if another publisher has changed the layout */
  async flush(): Promise<void> {
    this.#layout?.throwIfRefused();
    await Promise.all(this.#writers.map((writer) => writer.flush()));
  }

  async close(): Promise<void> {
    await Promise.all(this.#writers.map((writer) => writer.close()));
    await this.#onClosed();
  }
}
