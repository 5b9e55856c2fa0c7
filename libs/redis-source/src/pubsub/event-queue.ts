import type { DecodeFailure, RawLine } from "@millrace/dataflow";
import { bytesOf } from "../wire/frame.ts";
import type { FrameHeader } from "../wire/frame.ts";

/** Bounds of an {@link EventQueue}. */
export interface EventQueueLimits {
  readonly maxEvents: number;
  readonly maxBytes: number;
  /** Most bare lines that are kept together. */
  readonly maxBatchEvents: number;
}

/**
 * One entry of the queue: a frame; bare lines, gathered from any number of messages; or a message that is neither, with
 * the reason. A frame without its lines is a header-only entry: the lines were dropped, or there are none. A mark is a
 * callback, to be called when all entries before it have been taken.
 */
export interface QueueEntry {
  readonly lines: readonly RawLine[];
  readonly header: FrameHeader | undefined;
  readonly reason: DecodeFailure | undefined;
  /** See {@link EventQueue.from}. */
  readonly channel?: string | undefined;
  readonly mark?: () => void;
}

interface Queued extends QueueEntry {
  bytes: number;
  /** Bare lines at the front that were dropped. */
  dropped: number;
}

/** Entries that were taken stay in the array until they are at least this many and half of it. */
const COMPACT_AT = 1_024;

/**
 * First in, first out. It only reports that it is full; the owner's policy decides what happens then. Frames stay whole,
 * since their numbers cover all of their events.
 */
export class EventQueue {
  readonly #limits: EventQueueLimits;
  #entries: (Queued | undefined)[] = [];
  #head = 0;
  /** The last entry, if it accepts more bare lines. */
  #open: { readonly entry: Queued; readonly lines: RawLine[] } | undefined;
  #channel: string | undefined;
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

  /** Whether a limit is reached: the next event is one too many. */
  get full(): boolean {
    return this.#length >= this.#limits.maxEvents || this.#bytes >= this.#limits.maxBytes;
  }

  /** What is pushed from now on came on this channel: an entry has the lines of one channel. */
  from(channel: string): void {
    this.#channel = channel;
    this.#open = undefined;
  }

  pushLine(line: RawLine, bytes: number): void {
    let open = this.#open;
    if (open === undefined || open.lines.length >= this.#limits.maxBatchEvents) {
      const lines: RawLine[] = [];
      open = { entry: this.#push(lines, undefined, undefined, 0), lines };
      this.#open = open;
    }
    open.lines.push(line);
    open.entry.bytes += bytes;
    this.#length += 1;
    this.#bytes += bytes;
  }

  pushFrame(header: FrameHeader, lines: readonly RawLine[], bytes: number): void {
    this.#push(lines, header, undefined, bytes);
  }

  /** Queues only the numbers of a frame: its lines are not kept, or it has none. */
  pushNotice(header: FrameHeader): void {
    const last = this.#entries.at(-1);
    let notice = header;
    if (last?.lines.length === 0 && last.header !== undefined && continues(last.header, header)) {
      this.#entries.pop();
      notice = { ...header, first: last.header.first, count: last.header.count + header.count };
    } else if (this.#entries.length - this.#head >= 2 * this.#limits.maxEvents) {
      // The producer's next frame makes up for numbers that are not kept.
      return;
    }
    this.#push([], notice, undefined, 0);
  }

  /** Queues a callback: the caller of `take` calls it when all entries before it have been taken. */
  pushMark(mark: () => void): void {
    this.#entries.push({ lines: [], header: undefined, reason: undefined, bytes: 0, dropped: 0, mark });
    this.#open = undefined;
  }

  /** Queues the whole message as one line. */
  pushMalformed(message: RawLine, reason: DecodeFailure, bytes: number): void {
    this.#push([message], undefined, reason, bytes);
  }

  /**
   * Takes the oldest entry. @returns `undefined`: there is none, or it has more lines than `most`
   *
   * @param most an entry without lines is always returned
   */
  take(most = Number.POSITIVE_INFINITY): QueueEntry | undefined {
    const next = this.#entries[this.#head];
    if (next === undefined || next.lines.length - next.dropped > Math.max(most, 0)) return undefined;
    const first = this.#shift();
    if (first === undefined || first.dropped === 0) return first;
    return { ...first, lines: first.lines.slice(first.dropped) };
  }

  /** Drops the oldest bare line, or the oldest frame as a whole. @returns what was dropped */
  dropOldest(): QueueEntry | undefined {
    const first = this.#entries[this.#head];
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
    this.#entries = [];
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
    const queued = { lines, header, reason, bytes, dropped: 0, channel: this.#channel };
    this.#entries.push(queued);
    this.#open = undefined;
    this.#length += lines.length;
    this.#bytes += bytes;
    return queued;
  }

  #shift(): Queued | undefined {
    const first = this.#entries[this.#head];
    if (first === undefined) return undefined;
    this.#entries[this.#head] = undefined;
    this.#head += 1;
    if (this.#open?.entry === first) this.#open = undefined;
    this.#length -= first.lines.length - first.dropped;
    this.#bytes -= first.bytes;
    if (this.#head === this.#entries.length) {
      this.#entries = [];
      this.#head = 0;
    } else if (this.#head >= COMPACT_AT && this.#head * 2 >= this.#entries.length) {
      this.#entries = this.#entries.slice(this.#head);
      this.#head = 0;
    }
    return first;
  }
}

function continues(last: FrameHeader, next: FrameHeader): boolean {
  return last.producer === next.producer && last.first + last.count === next.first;
}
