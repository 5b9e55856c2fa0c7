import type { Redis } from "ioredis";
import type { PartContext } from "@millrace/dataflow";
import { FrameWriter } from "../delivery/frame-writer.ts";
import type { FramingSettings } from "../delivery/framing-options.ts";
import { RecordKeeper } from "../delivery/producer-records.ts";
import type { PublishRow } from "./pubsub-sink-options.ts";

/** A sink does not hold up a drain for longer than this when Redis does not answer. */
const CLOSE_TIMEOUT_MS = 1_000;

/** Takes messages for one channel or stream. */
export interface MessagePublisher {
  /** How often the connection was lost. */
  readonly disconnects: number;
  /** The client of now, for what goes beside messages; absent where there is nothing. */
  readonly client?: Redis | undefined;
  /**
   * Sends messages in order, through any number of reconnects; resolves when Redis has taken each.
   *
   * @param rowsOf rows in the message with this index
   * @throws RedisError when Redis refuses for good, or the publisher was closed
   */
  publish(messages: readonly PublishRow[], rowsOf: (index: number) => number): Promise<void>;
  /** Settles what is outstanding. */
  close(): Promise<void>;
}

/** One channel of a sink: rows as they are, or packed into frames. */
export class PublishLane {
  readonly #publisher: MessagePublisher;
  readonly #writer: FrameWriter | undefined;
  readonly #context: PartContext;
  #closed = false;

  private constructor(publisher: MessagePublisher, writer: FrameWriter | undefined, context: PartContext) {
    this.#publisher = publisher;
    this.#writer = writer;
    this.#context = context;
  }

  /**
   * The lane closes the publisher.
   *
   * @param channel where a reader that was away finds how far frames are; a stream keeps its frames itself
   */
  static open(
    publisher: MessagePublisher,
    framing: FramingSettings | undefined,
    context: PartContext,
    channel?: string,
  ): PublishLane {
    if (framing === undefined) return new PublishLane(publisher, undefined, context);
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
    return new PublishLane(publisher, writer, context);
  }

  get disconnects(): number {
    return this.#publisher.disconnects;
  }

  write(rows: readonly PublishRow[]): Promise<void> {
    return this.#writer?.write(rows) ?? this.#publisher.publish(rows, () => 1);
  }

  async flush(): Promise<void> {
    await this.#writer?.flush();
  }

  /** What waits for its frame to be full is sent, if Redis is there. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    const { time, signal } = this.#context;
    const cut = (): void => {
      void this.#publisher.close();
    };
    if (signal.aborted) this.#writer?.abandon();
    const cancel = time.wakeAt(time.now() + CLOSE_TIMEOUT_MS, cut);
    signal.addEventListener("abort", cut, { once: true });
    if (!signal.aborted) await this.#writer?.close();
    cancel();
    signal.removeEventListener("abort", cut);
    await this.#publisher.close();
    const unsent = this.#writer?.unsent ?? 0;
    if (unsent === 0) return;
    const { logger, step } = this.#context;
    logger.error({ event: "unsent", step, rows: unsent }, `${unsent} rows could not be published any more`);
  }
}
