import type { RawLine, TimeProvider } from "@millrace/dataflow";
import { FrameBuilder } from "./frame-builder.ts";
import type { BuiltFrame } from "./frame-builder.ts";
import type { FramingSettings } from "./framing-options.ts";
import type { ProducerRecord } from "./producer-records.ts";

/** What a {@link FrameWriter} works with. */
export interface FrameWriterSettings extends Omit<FramingSettings, "lasting"> {
  readonly time: TimeProvider;
  /** Sends frames, in order; it tries until they are taken, and rejects only for good. Calls do not overlap. */
  readonly send: (frames: readonly BuiltFrame[]) => Promise<void>;
  /**
   * Keeps how far this producer is where readers find it that were away: called when the first heartbeat was taken,
   * then at most once in `heartbeatMs`, and at the end. It must not reject. `@default none`
   */
  readonly record?: (record: ProducerRecord) => Promise<void>;
  /** Numbers that go on from an earlier run. `@default they begin at 0` */
  readonly numbers?: ReservedNumbers | undefined;
  /** What each heartbeat says besides. `@default nothing` */
  readonly attributes?: Readonly<Record<string, string>>;
}

/** Numbers that no other producer gives out. */
export interface ReservedNumbers {
  readonly first: number;
  /** Publish time (ms) of the first message ever; `undefined`: there was none. */
  readonly since: number | undefined;
  /** Publish time (ms) that no message may be below; 0: there was none before. */
  readonly last: number;
  /** Called before messages are sent that carry numbers below `next`. @throws what ends the writer */
  reserve(next: number, publishedAtMs: number, lastMs?: number): Promise<void>;
}

/**
 * Packs the rows for one channel or stream into frames and sends them: each when it is full or its first row has
 * waited long enough, and a heartbeat when there was nothing to send for a while.
 */
export class FrameWriter {
  readonly #settings: FrameWriterSettings;
  readonly #builder: FrameBuilder;
  #sending: Promise<void> = Promise.resolve();
  #pending = 0;
  #taken = 0;
  #sent = 0;
  /** The number after those of all frames built. */
  #numbered: number;
  /** When the last frame was sent, by the monotonic clock, ms. */
  #sentAt = Number.NEGATIVE_INFINITY;
  /** Publish times of the first frame that was taken, and of the last one. */
  #since: number | undefined;
  #sentUpTo = 0;
  #recordedAt = Number.NEGATIVE_INFINITY;
  #cancelLinger: (() => void) | undefined;
  #cancelHeartbeat: (() => void) | undefined;
  #closed = false;
  #failure: { readonly error: unknown } | undefined;

  private constructor(settings: FrameWriterSettings) {
    this.#settings = settings;
    const { producer, maxFrameEvents: maxEvents, maxFrameSize: maxSize, numbers } = settings;
    this.#numbered = numbers?.first ?? 0;
    this.#since = numbers?.since;
    const bounds = { maxEvents, maxSize };
    this.#builder = new FrameBuilder(producer, bounds, this.#numbered, numbers?.last);
  }

  /** Sends the first heartbeat, so that whoever listens knows this producer from its first number on. */
  static open(settings: FrameWriterSettings): FrameWriter {
    const writer = new FrameWriter(settings);
    void writer.#flush();
    writer.#throwIfFailed();
    writer.#armHeartbeat();
    return writer;
  }

  /** Rows taken and not sent: they wait, are on their way, or never will be. */
  get unsent(): number {
    return this.#taken - this.#sent;
  }

  /**
   * Resolves when the rows that fill frames are sent; the rest waits for more rows, at most `lingerMs`.
   *
   * @throws FrameEncodeError for a row that no frame can carry; nothing is sent after that
   */
  async write(rows: readonly RawLine[]): Promise<void> {
    // What was sent in between may have got stuck: taking rows meanwhile would have no bound.
    if (this.#pending > 0) await this.#sending;
    this.#throwIfFailed();
    const now = this.#settings.time.now();
    this.#taken += rows.length;
    const full = this.#add(rows, now);
    if (this.#builder.waiting === 0) this.#stopLingering();
    else if (this.#settings.lingerMs === 0) full.push(this.#builder.flush(now));
    else this.#linger();
    if (full.length > 0) await this.#send(full);
    this.#throwIfFailed();
  }

  /** Resolves when every row is sent. */
  async flush(): Promise<void> {
    this.#stopLingering();
    if (this.#builder.waiting > 0) await this.#flush();
    else await this.#sending;
    this.#throwIfFailed();
  }

  /** Sends what waits and a last heartbeat, which says that it is the last, and no more after that. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.abandon();
    if (this.#failure !== undefined) return;
    if (this.#builder.waiting > 0) void this.#flush();
    await this.#flush({ end: "1" });
    await this.#record(true);
  }

  /** Sends nothing by itself any more. */
  abandon(): void {
    this.#closed = true;
    this.#stopLingering();
    this.#cancelHeartbeat?.();
  }

  #add(rows: readonly RawLine[], now: number): BuiltFrame[] {
    try {
      return this.#builder.add(rows, now);
    } catch (error) {
      this.#fail(error);
      throw error;
    }
  }

  /** Never throws and never rejects, since timers call it: a failure is kept for the next call that can report it. */
  #flush(more?: Readonly<Record<string, string>>): Promise<void> {
    const { time, attributes } = this.#settings;
    if (this.#failure !== undefined) return this.#sending;
    const said = more === undefined ? attributes : { ...attributes, ...more };
    try {
      return this.#send([this.#builder.flush(time.now(), said)]);
    } catch (error) {
      this.#fail(error);
      return this.#sending;
    }
  }

  #fail(error: unknown): void {
    this.#failure ??= { error };
    this.#stopLingering();
    this.#cancelHeartbeat?.();
  }

  /** Never rejects: a failure is kept for the next call that can report it. */
  #send(frames: readonly BuiltFrame[]): Promise<void> {
    for (const { events } of frames) this.#numbered += events;
    const next = this.#numbered;
    this.#pending += 1;
    this.#sentAt = this.#settings.time.monotonic();
    this.#sending = this.#sending.then(async () => {
      try {
        if (this.#failure !== undefined) return;
        await this.#settings.numbers?.reserve(
          next,
          frames[0]?.publishedAtMs ?? 0,
          frames.at(-1)?.publishedAtMs,
        );
        await this.#settings.send(frames);
        for (const { events, publishedAtMs } of frames) {
          this.#sent += events;
          this.#since ??= publishedAtMs;
          this.#sentUpTo = publishedAtMs;
        }
        // What comes next need not wait for it: it is the same connection, where commands keep their order.
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
    const { record, time, heartbeatMs } = this.#settings;
    if (record === undefined || this.#since === undefined || this.#failure !== undefined) return;
    const now = time.monotonic();
    if (!ended && now < this.#recordedAt + heartbeatMs) return;
    this.#recordedAt = now;
    const next = (this.#settings.numbers?.first ?? 0) + this.#sent;
    await record({ next, publishedAtMs: this.#sentUpTo, since: this.#since, ended });
  }

  #throwIfFailed(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  #linger(): void {
    if (this.#closed) return;
    this.#cancelLinger ??= this.#settings.time.wakeAfter(this.#settings.lingerMs, () => {
      this.#cancelLinger = undefined;
      if (this.#builder.waiting > 0) void this.#flush();
    });
  }

  #stopLingering(): void {
    this.#cancelLinger?.();
    this.#cancelLinger = undefined;
  }

  #armHeartbeat(): void {
    const { time, heartbeatMs } = this.#settings;
    if (this.#closed || this.#failure !== undefined) return;
    const silentMs = time.monotonic() - this.#sentAt;
    this.#cancelHeartbeat = time.wakeAfter(silentMs < heartbeatMs ? heartbeatMs - silentMs : 0, () => {
      // A frame just sent tells as much; one on its way tells more than another behind it.
      if (this.#pending === 0 && this.#sentAt + heartbeatMs <= time.monotonic()) void this.#flush();
      this.#armHeartbeat();
    });
  }
}
