import type { TimeProvider } from "@millrace/dataflow";
import { bytesOf } from "../bytes-of.ts";
import type { FrameCodec } from "../delivery/frame-codec.ts";

/** A row of a sink: one line, text or bytes. */
export type Line = string | Uint8Array;

/** What goes to Redis in one piece. */
export interface Message {
  readonly payload: Line;
  /** How many rows it carries; a heartbeat carries none. */
  readonly rows: number;
}

/** How rows become messages. */
export interface FrameSettings {
  /** Absent: each row is a message by itself, without numbers. */
  readonly frames: FrameCodec | undefined;
  /** Who numbers the rows. */
  readonly producer: string;
  /** Most rows in a frame. */
  readonly maxFrameEvents: number;
  /** Most bytes of rows in a frame; a larger row goes alone. */
  readonly maxFrameBytes: number;
  /** How long a row may wait for others to share its frame. */
  readonly lingerMs: number;
  /** The longest silence: then an empty frame tells the number of the next row. */
  readonly heartbeatMs: number;
}

/** Sends messages of one partition, in order; resolves when Redis has taken them all. Calls never overlap. */
export type Transport = (messages: readonly Message[]) => Promise<void>;

/**
 * The way of one partition's rows into messages. A row gets its number when its frame is closed, and keeps it however
 * often the frame is sent.
 */
export class FrameLane {
  readonly #settings: FrameSettings;
  readonly #transport: Transport;
  readonly #time: TimeProvider;
  #lines: Line[] = [];
  #bytes = 0;
  #ready: Message[] = [];
  #next = 0;
  #sending: Promise<void> = Promise.resolve();
  #idle = true;
  #failure: { readonly error: unknown } | undefined;
  #cancelLinger: (() => void) | undefined;
  #cancelHeartbeat: (() => void) | undefined;
  #closed = false;

  constructor(settings: FrameSettings, transport: Transport, time: TimeProvider) {
    this.#settings = settings;
    this.#transport = transport;
    this.#time = time;
    this.#awaitSilence();
  }

  /**
   * Takes rows; resolves when every full frame of them is with Redis. A frame that is not full goes when its first
   * row has waited for `lingerMs`.
   *
   * @throws what the transport threw, now or since the last call; what the codec throws for a row
   */
  async write(rows: readonly Line[]): Promise<void> {
    this.#throwFailure();
    for (const row of rows) this.#put(row);
    if (this.#settings.lingerMs === 0) this.#close();
    else if (this.#lines.length > 0) this.#linger();
    await this.#send();
  }

  /** Sends what waits. @throws as {@link write} */
  async flush(): Promise<void> {
    this.#throwFailure();
    this.#close();
    await this.#send();
  }

  /** Sends what waits and a last heartbeat, which tells readers that this was all. @throws as {@link write} */
  async finish(): Promise<void> {
    this.#throwFailure();
    this.#close();
    this.#beat();
    await this.#send();
  }

  /** Drops what waits. @returns how many rows that are */
  abandon(): number {
    this.#closed = true;
    this.#cancelLinger?.();
    this.#cancelHeartbeat?.();
    const rows = this.#ready.reduce((sum, message) => sum + message.rows, this.#lines.length);
    this.#lines = [];
    this.#ready = [];
    return rows;
  }

  #put(row: Line): void {
    const { frames, maxFrameEvents, maxFrameBytes } = this.#settings;
    if (frames === undefined) {
      this.#ready.push({ payload: row, rows: 1 });
      return;
    }
    const bytes = bytesOf(row);
    if (this.#bytes + bytes > maxFrameBytes) this.#close();
    this.#lines.push(row);
    this.#bytes += bytes;
    if (this.#lines.length >= maxFrameEvents) this.#close();
  }

  /** Makes a frame of the rows gathered. */
  #close(): void {
    this.#cancelLinger?.();
    this.#cancelLinger = undefined;
    if (this.#lines.length === 0) return;
    const lines = this.#lines;
    this.#lines = [];
    this.#bytes = 0;
    this.#frame(lines);
  }

  #beat(): void {
    this.#frame([]);
  }

  #frame(lines: readonly Line[]): void {
    const { frames, producer } = this.#settings;
    if (frames === undefined) return;
    const payload = frames.encodeFrame({
      producer,
      first: this.#next,
      publishedAtMs: this.#time.now(),
      lines,
    });
    this.#next += lines.length;
    this.#ready.push({ payload, rows: lines.length });
    this.#awaitSilence();
  }

  /** Calls follow one another, whether a write, the linger or the heartbeat makes them. */
  #send(): Promise<void> {
    const sent = this.#sending.then(async () => {
      this.#idle = false;
      while (this.#ready.length > 0 && !this.#closed) {
        const messages = this.#ready;
        this.#ready = [];
        await this.#transport(messages);
      }
      this.#idle = true;
    });
    // Whoever waits for `sent` is told; the next call must not be told again.
    this.#sending = sent.catch((error: unknown) => {
      this.#idle = true;
      this.#failure ??= { error };
    });
    return sent;
  }

  #linger(): void {
    this.#cancelLinger ??= this.#time.wakeAt(this.#time.now() + this.#settings.lingerMs, () => {
      this.#cancelLinger = undefined;
      this.#inBackground(() => {
        this.#close();
      });
    });
  }

  #awaitSilence(): void {
    if (this.#settings.frames === undefined || this.#closed) return;
    this.#cancelHeartbeat?.();
    this.#cancelHeartbeat = this.#time.wakeAt(this.#time.now() + this.#settings.heartbeatMs, () => {
      // While Redis does not take what there is, heartbeats would only pile up.
      if (this.#idle && this.#failure === undefined) {
        this.#inBackground(() => {
          this.#beat();
        });
      } else this.#awaitSilence();
    });
  }

  #inBackground(prepare: () => void): void {
    try {
      prepare();
    } catch (error) {
      this.#failure ??= { error };
      return;
    }
    // The failure is kept for the next call.
    void this.#send().catch(() => undefined);
  }

  #throwFailure(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }
}
