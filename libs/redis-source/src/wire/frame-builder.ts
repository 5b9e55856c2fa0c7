import type { RawLine } from "@millrace/dataflow";
import { encodeFrame, requireLines } from "./encode-frame.ts";

/** A message made of rows, with their numbers in it: sent again, it is recognised. */
export interface BuiltFrame {
  readonly payload: string | Uint8Array;
  /** Rows; 0 for a heartbeat. */
  readonly events: number;
  readonly publishedAtMs: number;
}

/** How a {@link FrameBuilder} packs. */
export interface FrameBounds {
  /** A name that no producer had before on this channel or stream, unless all below the first number is what it had. */
  readonly producer: string;
  readonly maxFrameEvents: number;
  /** Characters or bytes of rows; a larger row goes alone. */
  readonly maxFrameSize: number;
}

/** Gathers rows into frames and gives each row its number. Pure: time comes in as an argument. */
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
   * Takes rows. @returns frames that are full now
   *
   * @throws FrameEncodeError for a row that no frame can carry, whether its frame is full or not; no row is taken after that
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

  /** The rows that wait as a frame, or a heartbeat with these attributes if there are none. */
  flush(now: number, attributes?: Readonly<Record<string, string>>): BuiltFrame {
    return this.#build(now, attributes);
  }

  #build(now: number, attributes?: Readonly<Record<string, string>>): BuiltFrame {
    const lines = this.#rows;
    // A clock that is set back must not let a later event seem to be published earlier.
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
