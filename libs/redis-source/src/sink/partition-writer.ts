import type { PartContext } from "@millrace/dataflow";
import { FrameBuilder } from "../wire/frame-builder.ts";
import type { BuiltFrame } from "../wire/frame-builder.ts";
import type { LastingNumbers } from "../wire/lasting-numbers.ts";
import type { ProducerRecord } from "../wire/producer-records.ts";
import type { FramingSettings } from "./framing-options.ts";
import type { MessageSender } from "./message-sender.ts";
import type { PublishRow } from "./transport.ts";

/** How long a close waits for frames on their way, and for the last heartbeat, when Redis does not answer. */
const CLOSE_TIMEOUT_MS = 1_000;

/** How rows are packed on one channel or stream. */
export interface WriterFraming extends Omit<FramingSettings, "lasting"> {
  /** Attributes of each heartbeat. `@default none` */
  readonly attributes?: Readonly<Record<string, string>>;
  /** Numbers that continue from an earlier run; the writer releases them. `@default they begin at 0` */
  readonly numbers?: LastingNumbers | undefined;
  /**
   * Records how far this producer is, for readers that were disconnected. It is called when Redis has accepted the first
   * heartbeat, then at most once in `heartbeatMs`, and at the end. It must not reject. `@default none`
   */
  readonly record?: ((record: ProducerRecord) => Promise<void>) | undefined;
}

type Sender = Pick<MessageSender, "publish" | "published" | "disconnects" | "waits" | "close">;
type WriterContext = Pick<PartContext, "time" | "signal" | "logger" | "step" | "fail">;

/** Counts of one channel or stream, or of several together. */
export interface WriterStats {
  readonly disconnects: number;
  readonly waits: number;
  /** Rows that were written and that Redis has not accepted. */
  readonly unsent: number;
}

/** The sum over writers. */
export function sumOf(all: Iterable<WriterStats>): WriterStats {
  let [disconnects, waits, unsent] = [0, 0, 0];
  for (const stats of all) {
    disconnects += stats.disconnects;
    waits += stats.waits;
    unsent += stats.unsent;
  }
  return { disconnects, waits, unsent };
}

/**
 * Writes rows to one channel or stream: unchanged, or packed into frames. A frame is sent when it is full or its first row
 * has waited long enough, and a heartbeat when there was nothing to send for a while.
 */
export class PartitionWriter {
  readonly #sender: Sender;
  readonly #framing: WriterFraming | undefined;
  readonly #context: WriterContext;
  readonly #builder: FrameBuilder | undefined;
  /** Rows given to the writer. */
  #taken = 0;
  #sending: Promise<void> = Promise.resolve();
  #pending = 0;
  /** Rows in frames that Redis has accepted. */
  #sent = 0;
  /** The number after the last one of all frames built. */
  #numbered = 0;
  /** When the last frame was sent, by the monotonic clock, ms. */
  #sentAt = Number.NEGATIVE_INFINITY;
  /** Publish times of the first frame that Redis accepted, and of the last one. */
  #since: number | undefined;
  #sentUpTo = 0;
  #recordedAt = Number.NEGATIVE_INFINITY;
  #cancelLinger: (() => void) | undefined;
  #cancelHeartbeat: (() => void) | undefined;
  #closed = false;
  #failure: { readonly error: unknown } | undefined;
  readonly #cut = (): void => {
    void this.#sender.close();
    void this.#framing?.numbers?.close();
  };

  /**
   * Sends the first heartbeat, so that readers know this producer from its first number on.
   *
   * @param sender closed by the writer
   * @param framing `undefined`: rows are sent unchanged
   */
  constructor(sender: Sender, framing: WriterFraming | undefined, context: WriterContext) {
    this.#sender = sender;
    this.#framing = framing;
    this.#context = context;
    context.signal.addEventListener("abort", this.#cut, { once: true });
    if (framing === undefined) return;
    const { numbers } = framing;
    this.#numbered = numbers?.first ?? 0;
    this.#since = numbers?.since;
    this.#builder = new FrameBuilder(framing, this.#numbered, numbers?.last);
    void this.#flush();
    this.#throwIfFailed();
    this.#armHeartbeat();
  }

  stats(): WriterStats {
    const { disconnects, waits, published } = this.#sender;
    return { disconnects, waits, unsent: this.#taken - published };
  }

  /**
   * Resolves when Redis has accepted the rows. With frames, when it has accepted those of the writes before: these are on
   * their way while the next ones are made; and rows that do not fill a frame wait for more rows, at most `lingerMs`.
   *
   * @throws FrameEncodeError for a row that no frame can carry; nothing is sent after that
   * @throws RedisError; the reason of the context's signal
   */
  async write(rows: readonly PublishRow[]): Promise<void> {
    this.#taken += rows.length;
    const builder = this.#builder;
    await this.#unlessAborted(
      builder === undefined ? this.#sender.publish(rows, () => 1) : this.#pack(builder, rows),
    );
  }

  /** Resolves when Redis has accepted every row. @throws RedisError; the reason of the context's signal */
  async flush(): Promise<void> {
    if (this.#builder !== undefined) await this.#unlessAborted(this.#flushAll(this.#builder));
  }

  /**
   * Closes the writer. Frames on their way have a second to arrive; rows that still wait for theirs are given up. If every
   * row was sent, a last heartbeat says so.
   */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    const { time, signal, logger, step } = this.#context;
    this.#stopLingering();
    this.#cancelHeartbeat?.();
    const cancel = time.wakeAfter(CLOSE_TIMEOUT_MS, this.#cut);
    await this.#sending;
    const whole = this.stats().unsent === 0 && !signal.aborted;
    if (whole && this.#builder !== undefined && this.#failure === undefined) {
      await this.#flush({ end: "1" });
      await this.#record(true);
    }
    await this.#framing?.numbers?.release();
    cancel();
    await this.#sender.close();
    signal.removeEventListener("abort", this.#cut);
    const { unsent: rows } = this.stats();
    if (rows > 0) logger.error({ event: "unsent", step, rows }, `${rows} rows were not sent`);
  }

  async #pack(builder: FrameBuilder, rows: readonly PublishRow[]): Promise<void> {
    // What was sent in between may be stuck: accepting more rows would use memory without limit.
    if (this.#pending > 0) await this.#sending;
    this.#throwIfFailed();
    const now = this.#context.time.now();
    const full = this.#add(builder, rows, now);
    if (builder.waiting === 0) this.#stopLingering();
    else if (this.#framing?.lingerMs === 0) full.push(builder.flush(now));
    else this.#linger();
    if (full.length > 0) void this.#send(full);
    this.#throwIfFailed();
  }

  #add(builder: FrameBuilder, rows: readonly PublishRow[], now: number): BuiltFrame[] {
    try {
      return builder.add(rows, now);
    } catch (error) {
      this.#fail(error);
      throw error;
    }
  }

  async #flushAll(builder: FrameBuilder): Promise<void> {
    this.#stopLingering();
    if (builder.waiting > 0) await this.#flush();
    else await this.#sending;
    this.#throwIfFailed();
  }

  /** Never throws or rejects, since timers call it: a failure is kept for the next call that can report it. */
  #flush(more?: Readonly<Record<string, string>>): Promise<void> {
    const builder = this.#builder;
    if (builder === undefined || this.#failure !== undefined) return this.#sending;
    const attributes = { ...this.#framing?.attributes, ...more };
    try {
      return this.#send([builder.flush(this.#context.time.now(), attributes)]);
    } catch (error) {
      this.#fail(error);
      return this.#sending;
    }
  }

  #fail(error: unknown): void {
    this.#failure ??= { error };
    // The next write may be far away.
    if (!this.#closed) this.#context.fail(error);
    this.#stopLingering();
    this.#cancelHeartbeat?.();
  }

  /** Never rejects: a failure ends the task, and is kept for the next call. */
  #send(frames: readonly BuiltFrame[]): Promise<void> {
    for (const { events } of frames) this.#numbered += events;
    const next = this.#numbered;
    this.#pending += 1;
    this.#sentAt = this.#context.time.monotonic();
    this.#sending = this.#sending.then(async () => {
      try {
        if (this.#failure !== undefined) return;
        await this.#framing?.numbers?.reserve(
          next,
          frames[0]?.publishedAtMs ?? 0,
          frames.at(-1)?.publishedAtMs,
        );
        await this.#sender.publish(
          frames.map(({ payload }) => payload),
          (index) => frames[index]?.events ?? 0,
        );
        for (const { events, publishedAtMs } of frames) {
          this.#sent += events;
          this.#since ??= publishedAtMs;
          this.#sentUpTo = publishedAtMs;
        }
        // Not awaited: commands on one connection keep their order.
        void this.#record(false);
      } catch (error) {
        this.#fail(error);
      } finally {
        this.#pending -= 1;
      }
    });
    return this.#sending;
  }

  async #record(ended: boolean): Promise<void> {
    const { record, heartbeatMs = 0, numbers } = this.#framing ?? {};
    if (record === undefined || this.#since === undefined || this.#failure !== undefined) return;
    const now = this.#context.time.monotonic();
    if (!ended && now < this.#recordedAt + heartbeatMs) return;
    this.#recordedAt = now;
    const next = (numbers?.first ?? 0) + this.#sent;
    await record({ next, publishedAtMs: this.#sentUpTo, since: this.#since, ended });
  }

  #throwIfFailed(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  #linger(): void {
    if (this.#closed) return;
    this.#cancelLinger ??= this.#context.time.wakeAfter(this.#framing?.lingerMs ?? 0, () => {
      this.#cancelLinger = undefined;
      if (this.#builder !== undefined && this.#builder.waiting > 0) void this.#flush();
    });
  }

  #stopLingering(): void {
    this.#cancelLinger?.();
    this.#cancelLinger = undefined;
  }

  #armHeartbeat(): void {
    const { time } = this.#context;
    const heartbeatMs = this.#framing?.heartbeatMs ?? Infinity;
    if (this.#closed || this.#failure !== undefined) return;
    const silentMs = time.monotonic() - this.#sentAt;
    this.#cancelHeartbeat = time.wakeAfter(silentMs < heartbeatMs ? heartbeatMs - silentMs : 0, () => {
      // Not needed after a frame that was just sent, or while one is in flight.
      if (this.#pending === 0 && this.#sentAt + heartbeatMs <= time.monotonic()) void this.#flush();
      this.#armHeartbeat();
    });
  }

  /** An abort closes the sender; the reason of the abort is thrown, not that the sender is closed. */
  async #unlessAborted(work: Promise<void>): Promise<void> {
    try {
      await work;
    } catch (error) {
      this.#context.signal.throwIfAborted();
      throw error;
    }
  }
}
