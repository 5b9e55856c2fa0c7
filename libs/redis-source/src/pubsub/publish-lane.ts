import type { Redis } from "ioredis";
import type { PartContext } from "@millrace/dataflow";
import { FrameWriter } from "../wire/frame-writer.ts";
import type { FrameWriterSettings } from "../wire/frame-writer.ts";
import type { FramingSettings } from "../wire/framing-options.ts";
import type { LastingNumbers } from "../wire/lasting-numbers.ts";
import { RecordKeeper } from "../wire/producer-records.ts";
import type { PublishRow } from "./pubsub-sink-options.ts";

/** The last heartbeat does not hold up the end for longer than this when Redis does not answer. */
const CLOSE_TIMEOUT_MS = 1_000;

/** Takes messages for one channel or stream. */
export interface MessagePublisher {
  /** How often the connection was lost. */
  readonly disconnects: number;
  /** Rows that Redis has taken. */
  readonly published: number;
  /** How often a full stream made rows wait. */
  readonly waits?: number;
  /** The client of now, for what goes beside messages; absent where there is nothing. */
  readonly client?: Redis | undefined;
  /**
   * Sends messages in order, through any number of reconnects; resolves when Redis has taken each.
   *
   * @param rowsOf rows in the message with this index
   * @throws RedisError when Redis refuses for good, or the publisher was closed
   */
  publish(messages: readonly PublishRow[], rowsOf: (index: number) => number): Promise<void>;
  /** Rejects what is outstanding. Idempotent. */
  close(): Promise<void>;
}

/** How rows are packed on one channel or stream, and what its heartbeats say besides. */
export type LaneFraming = FramingSettings &
  Pick<FrameWriterSettings, "attributes"> & {
    /** Those of `producer`, if they last; the lane releases them. */
    readonly numbers?: LastingNumbers | undefined;
  };

/** How it goes on one channel or stream, or on several together. */
export interface LaneStats {
  readonly disconnects: number;
  readonly waits: number;
  /** Rows that were written and that Redis has not taken. */
  readonly unsent: number;
}

/** The sum over lanes. */
export function sumOf(all: Iterable<LaneStats>): LaneStats {
  let [disconnects, waits, unsent] = [0, 0, 0];
  for (const stats of all) {
    disconnects += stats.disconnects;
    waits += stats.waits;
    unsent += stats.unsent;
  }
  return { disconnects, waits, unsent };
}

/** One channel or stream of a sink: rows as they are, or packed into frames. */
export class PublishLane {
  readonly #publisher: MessagePublisher;
  readonly #writer: FrameWriter | undefined;
  readonly #numbers: LastingNumbers | undefined;
  readonly #context: PartContext;
  readonly #cut = (): void => {
    void this.#publisher.close();
    void this.#numbers?.close();
  };
  #taken = 0;
  #closed = false;

  private constructor(
    publisher: MessagePublisher,
    writer: FrameWriter | undefined,
    numbers: LastingNumbers | undefined,
    context: PartContext,
  ) {
    this.#numbers = numbers;
    this.#publisher = publisher;
    this.#writer = writer;
    this.#context = context;
    context.signal.addEventListener("abort", this.#cut, { once: true });
  }

  /**
   * The lane closes the publisher.
   *
   * @param channel where a reader that was away finds how far frames are; a stream keeps its frames itself
   */
  static open(
    publisher: MessagePublisher,
    framing: LaneFraming | undefined,
    context: PartContext,
    channel?: string,
  ): PublishLane {
    if (framing === undefined) return new PublishLane(publisher, undefined, undefined, context);
    const keeper = channel === undefined ? undefined : new RecordKeeper(channel, framing.producer, context);
    const writer = FrameWriter.open({
      ...framing,
      time: context.time,
      ...(keeper === undefined ? {} : { record: (record) => keeper.keep(publisher.client, record) }),
      send: (frames) =>
        publisher.publish(
          frames.map(({ payload }) => payload),
          (index) => frames[index]?.events ?? 0,
        ),
    });
    return new PublishLane(publisher, writer, framing.numbers, context);
  }

  stats(): LaneStats {
    const { disconnects, waits = 0, published } = this.#publisher;
    return { disconnects, waits, unsent: this.#taken - published };
  }

  /** @throws RedisError; the reason of the context's signal */
  write(rows: readonly PublishRow[]): Promise<void> {
    this.#taken += rows.length;
    return this.#unlessAborted(this.#writer?.write(rows) ?? this.#publisher.publish(rows, () => 1));
  }

  /** Resolves when Redis has taken every row. @throws RedisError; the reason of the context's signal */
  async flush(): Promise<void> {
    if (this.#writer !== undefined) await this.#unlessAborted(this.#writer.flush());
  }

  /** Where every row was sent, a last heartbeat says so; rows that wait are given up. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    const { time, signal, logger, step } = this.#context;
    if (this.stats().unsent > 0 || signal.aborted) this.#writer?.abandon();
    const cancel = time.wakeAfter(CLOSE_TIMEOUT_MS, this.#cut);
    await this.#writer?.close();
    await this.#numbers?.release();
    cancel();
    await this.#publisher.close();
    signal.removeEventListener("abort", this.#cut);
    const { unsent: rows } = this.stats();
    if (rows > 0) logger.error({ event: "unsent", step, rows }, `${rows} rows were not sent`);
  }

  /** An abort closes the publisher; why it was aborted says more than that it is closed. */
  async #unlessAborted(work: Promise<void>): Promise<void> {
    try {
      await work;
    } catch (error) {
      this.#context.signal.throwIfAborted();
      throw error;
    }
  }
}
