import type { RawLine } from "@millrace/dataflow";
import { encodeFrame, requireLines } from "./encode-frame.ts";

/** A message made of rows, with their numbers in it, so that readers recognise it when it is sent again. */
export interface BuiltFrame {
  readonly payload: string | Uint8Array;
  /** Rows; 0 for a heartbeat. */
  readonly events: number;
  readonly publishedAtMs: number;
}

/** Limits of frames, and the producer's name. */
export interface FrameBounds {
  /** A name that is new on this channel or stream; or one whose earlier numbers are all below the first number. */
  readonly producer: string;
  readonly maxFrameEvents: number;
  /** Characters or bytes of rows; a larger row gets a frame of its own. */
  readonly maxFrameSize: number;
}

/** Gathers rows into frames and gives each row its number. Pure: time is an argument. */
export class FrameBuilder {
  readonly #bounds: FrameBounds;
  #rows: RawLine[] = [];
  #size = 0;
  #next: number;
  #publishedAtMs: number;

  /**
   * @param first the number of the first row
   * @param lastMs publish time of the latest message of the same name, ms
   */
  constructor(bounds: FrameBounds, first = 0, lastMs = 0) {
    this.#bounds = bounds;
    this.#next = first;
    this.#publishedAtMs = lastMs;
  }

  /** Rows that wait for their frame to be full. */
  get waiting(): number {
    return this.#rows.length;
  }

  /**
   * Adds rows. @returns frames that are full now
   *
   * @throws FrameEncodeError for a row that no frame can carry, whether its frame is full or not; the builder is unusable
   *   after that
   */
  add(rows: readonly RawLine[], now: number): BuiltFrame[] {
    const { maxFrameEvents, maxFrameSize } = this.#bounds;
    const full: BuiltFrame[] = [];
    const waitedBefore = this.#rows.length;
    for (const row of rows) {
      if (this.#size + row.length > maxFrameSize && this.#rows.length > 0) full.push(this.#build(now));
      this.#rows.push(row);
      this.#size += row.length;
      if (this.#rows.length >= maxFrameEvents) full.push(this.#build(now));
    }
    requireLines(full.length === 0 ? this.#rows.slice(waitedBefore) : this.#rows);
    return full;
  }

  /** A frame of the rows that wait, or a heartbeat with these attributes if there are none. */
  flush(now: number, attributes?: Readonly<Record<string, string>>): BuiltFrame {
    return this.#build(now, attributes);
  }

  #build(now: number, attributes?: Readonly<Record<string, string>>): BuiltFrame {
    const lines = this.#rows;
    // If the clock is set back, a later event must not appear to be published earlier.
    this.#publishedAtMs = Math.max(this.#publishedAtMs, now);
    const payload = encodeFrame({
      producer: this.#bounds.producer,
      first: this.#next,
      publishedAtMs: this.#publishedAtMs,
      lines,
      ...(attributes === undefined || lines.length > 0 ? {} : { attributes }),
    });
    this.#rows = [];
    this.#size = 0;
    this.#next += lines.length;
    return { payload, events: lines.length, publishedAtMs: this.#publishedAtMs };
  }
}
