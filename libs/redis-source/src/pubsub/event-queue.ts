import type { DecodeFailure, RawLine } from "@millrace/dataflow";
import { bytesOf } from "../wire/frame.ts";
import type { FrameHeader } from "../wire/frame.ts";

/** Bounds of an {@link EventQueue}. */
export interface EventQueueLimits {
  readonly maxEvents: number;
  readonly maxBytes: number;
  /** Bare lines that are kept together at most. */
  readonly maxBatchEvents: number;
}

/**
 * What is queued as one: a frame; bare lines, gathered from any number of messages; or a message that is neither,
 * with the reason. A frame without its lines is a notice: they were dropped, or there are none. A mark is something
 * to do when all before it has been taken.
 */
export interface Parcel {
  readonly lines: readonly RawLine[];
  readonly header: FrameHeader | undefined;
  readonly reason: DecodeFailure | undefined;
  readonly mark?: () => void;
}

interface Queued extends Parcel {
  bytes: number;
  /** Bare lines at the front that were dropped. */
  dropped: number;
}

/** Parcels that are gone stay in the array until they are most of it. */
const COMPACT_AT = 1_024;

/**
 * First in, first out. It only says that it is full; what happens then is its owner's policy. Frames stay whole,
 * since their numbers stand for all of their events.
 */
export class EventQueue {
  readonly #limits: EventQueueLimits;
  #parcels: (Queued | undefined)[] = [];
  #head = 0;
  /** Where the last parcel takes more bare lines. */
  #open: { readonly parcel: Queued; readonly lines: RawLine[] } | undefined;
  #length = 0;
  #bytes = 0;

  constructor(limits: EventQueueLimits) {
    this.#limits = limits;
  }

  /** Events. */
  get length(): number {
    return this.#length;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** At or above a bound: the next event is one too many. */
  get full(): boolean {
    return this.#length >= this.#limits.maxEvents || this.#bytes >= this.#limits.maxBytes;
  }

  pushLine(line: RawLine, bytes: number): void {
    let open = this.#open;
    if (open === undefined || open.lines.length >= this.#limits.maxBatchEvents) {
      const lines: RawLine[] = [];
      open = { parcel: this.#push(lines, undefined, undefined, 0), lines };
      this.#open = open;
    }
    open.lines.push(line);
    open.parcel.bytes += bytes;
    this.#length += 1;
    this.#bytes += bytes;
  }

  pushFrame(header: FrameHeader, lines: readonly RawLine[], bytes: number): void {
    this.#push(lines, header, undefined, bytes);
  }

  /** A frame whose lines are not kept, or that has none: only its numbers are queued. */
  pushNotice(header: FrameHeader): void {
    const last = this.#parcels.at(-1);
    let notice = header;
    if (last?.lines.length === 0 && last.header !== undefined && continues(last.header, header)) {
      this.#parcels.pop();
      notice = { ...header, first: last.header.first, count: last.header.count + header.count };
    } else if (this.#parcels.length - this.#head >= 2 * this.#limits.maxEvents) {
      // Numbers that are not kept are made up for by the producer's next.
      return;
    }
    this.#push([], notice, undefined, 0);
  }

  /** To be called, by who takes it, when everything queued so far has been taken. */
  pushMark(mark: () => void): void {
    this.#parcels.push({ lines: [], header: undefined, reason: undefined, bytes: 0, dropped: 0, mark });
    this.#open = undefined;
  }

  /** The message is kept as one line. */
  pushMalformed(message: RawLine, reason: DecodeFailure, bytes: number): void {
    this.#push([message], undefined, reason, bytes);
  }

  /**
   * Takes the oldest parcel. @returns `undefined`: there is none, or it has more lines than `most`
   *
   * @param most a parcel without lines is returned whatever it is
   */
  take(most = Number.POSITIVE_INFINITY): Parcel | undefined {
    const next = this.#parcels[this.#head];
    if (next === undefined || next.lines.length - next.dropped > Math.max(most, 0)) return undefined;
    const first = this.#shift();
    if (first === undefined || first.dropped === 0) return first;
    return { ...first, lines: first.lines.slice(first.dropped) };
  }

  /** Drops the oldest bare line, or the oldest frame as a whole. @returns what was dropped */
  dropOldest(): Parcel | undefined {
    const first = this.#parcels[this.#head];
    if (first === undefined) return undefined;
    const line = first.lines[first.dropped];
    if (line === undefined || first.header !== undefined || first.lines.length - first.dropped === 1) {
      return this.take();
    }
    const bytes = bytesOf(line);
    first.dropped += 1;
    first.bytes -= bytes;
    this.#length -= 1;
    this.#bytes -= bytes;
    return { lines: [line], header: undefined, reason: undefined };
  }

  clear(): void {
    this.#parcels = [];
    this.#head = 0;
    this.#open = undefined;
    this.#length = 0;
    this.#bytes = 0;
  }

  #push(
    lines: readonly RawLine[],
    header: FrameHeader | undefined,
    reason: DecodeFailure | undefined,
    bytes: number,
  ): Queued {
    const queued = { lines, header, reason, bytes, dropped: 0 };
    this.#parcels.push(queued);
    this.#open = undefined;
    this.#length += lines.length;
    this.#bytes += bytes;
    return queued;
  }

  #shift(): Queued | undefined {
    const first = this.#parcels[this.#head];
    if (first === undefined) return undefined;
    this.#parcels[this.#head] = undefined;
    this.#head += 1;
    if (this.#open?.parcel === first) this.#open = undefined;
    this.#length -= first.lines.length - first.dropped;
    this.#bytes -= first.bytes;
    if (this.#head === this.#parcels.length) {
      this.#parcels = [];
      this.#head = 0;
    } else if (this.#head >= COMPACT_AT && this.#head * 2 >= this.#parcels.length) {
      this.#parcels = this.#parcels.slice(this.#head);
      this.#head = 0;
    }
    return first;
  }
}

function continues(last: FrameHeader, next: FrameHeader): boolean {
  return last.producer === next.producer && last.first + last.count === next.first;
}
