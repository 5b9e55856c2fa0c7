import type { Json, PartContext, RawLine, SourcePartition } from "@millrace/dataflow";
import { bytesOf, FRAME_MARKER } from "../wire/frame.ts";
import type { Frame, FrameHeader } from "../wire/frame.ts";
import { decodeFrame, decodeText } from "../wire/decode-frame.ts";
import { OutageLoss } from "../wire/outage-loss.ts";
import { ProducerLedger } from "../wire/producer-ledger.ts";
import type { LedgerStats } from "../wire/producer-ledger.ts";
import type { ProducerRecords } from "../wire/producer-records.ts";
import { SuspicionLog } from "../wire/suspicion-log.ts";
import type { LayoutGuard } from "../partitions/layout-record.ts";
import { EventColumns } from "../wire/event-columns.ts";
import { EventQueue } from "./event-queue.ts";
import type { QueueEntry } from "./event-queue.ts";
import type { PubSubSettings } from "./pubsub-source-options.ts";
import type { Message } from "./push-reader.ts";

type Completeness = ReturnType<NonNullable<SourcePartition<unknown>["completeness"]>>;

/** Events in order of arrival, with the publish times of their frames if they came in frames. */
export interface InboxBatch<T> {
  readonly events: readonly T[];
  readonly times?: readonly number[];
}

/** Counts of all events that arrived. */
export interface InboxStats extends LedgerStats {
  readonly read: number;
  readonly queued: number;
  readonly messages: number;
  readonly malformed: number;
  readonly dropped: number;
  readonly uncertainSince?: number;
}

/**
 * The state after a message: nothing waits; events wait; events wait and no more may be read until some are taken (policy
 * `pause`); or the message did not fit, and reading ends (policy `fail`).
 */
export type Arrival = "nothing" | "events" | "full" | "overflow";

/** The first sign of a frame. */
const MARK = FRAME_MARKER.charCodeAt(0);

/** The field of a position with the time (ms) up to which everything that came was taken. */
const TAKEN_UP_TO = "takenUpTo";

/** What is delivered for lines that came together. @param channel only with a pattern, which may match several */
export type DeliverLines<T> = (lines: readonly RawLine[], channel: string | undefined) => readonly T[];

type InboxContext = Pick<PartContext, "time" | "reject" | "logger" | "step">;

/**
 * What arrived on a channel and was not taken yet, and the account of numbers.
 *
 * The account covers what is taken, not what arrives. So the snapshot is the position after the last batch, and no
 * window counts as complete while events of it are still queued here.
 */
export class Inbox<T> {
  readonly #settings: PubSubSettings;
  readonly #context: InboxContext;
  readonly #queue: EventQueue;
  readonly #ledger: ProducerLedger;
  readonly #outageLoss: OutageLoss;
  readonly #suspicions: SuspicionLog;
  readonly #layout: LayoutGuard | undefined;
  readonly #deliver: DeliverLines<T>;
  /** With a pattern: the channel of the last message, as bytes and as text. */
  #from: { readonly bytes: Buffer; readonly channel: string } | undefined;
  /** The time (ms) up to which an earlier run took everything that came. */
  readonly #resumedAt: number | undefined;
  /** Everything that came up to this time (ms) has been taken. */
  #takenUpTo: number;
  #overflowed = false;
  #read = 0;
  #messages = 0;
  #malformed = 0;
  #dropped = 0;
  /** Dropped events that leave no gap in numbers. */
  #droppedBare = 0;

  /** @throws RedisPositionError if {@link snapshot} did not write `resume` */
  constructor(
    channel: string,
    settings: PubSubSettings,
    resume: Json | undefined,
    layout: LayoutGuard | undefined,
    deliver: DeliverLines<T>,
    context: InboxContext,
  ) {
    const { maxQueuedEvents: maxEvents, maxQueuedBytes: maxBytes, maxBatchEvents } = settings;
    this.#settings = settings;
    this.#context = context;
    this.#queue = new EventQueue({ maxEvents, maxBytes, maxBatchEvents });
    const known = resume === null ? undefined : resume;
    this.#resumedAt = takenUpToOf(resume);
    this.#takenUpTo = context.time.now();
    this.#ledger = new ProducerLedger(settings.ledger, known);
    this.#outageLoss = new OutageLoss(this.#ledger);
    this.#suspicions = new SuspicionLog(channel, context);
    this.#layout = layout;
    this.#deliver = deliver;
  }

  /** Queued events. */
  get length(): number {
    return this.#queue.length;
  }

  get full(): boolean {
    return this.#queue.full;
  }

  /** Messages that came together. @param channel only with a pattern */
  receive(messages: readonly Message[], channel?: Buffer): Arrival {
    if (channel !== undefined) this.#cameOn(channel);
    for (const message of messages) {
      this.#messages += 1;
      if (typeof message !== "string") this.#admit(decodeFrame(message), message);
      // The common case, a line of ASCII.
      else if (!message.includes("\n") && message.charCodeAt(0) !== MARK)
        this.#admitLine(message, message.length);
      else this.#admit(decodeText(message), message);
      if (this.#overflowed) return "overflow";
    }
    if (this.#queue.length > 0) {
      return this.#queue.full && this.#settings.onOverflow === "pause" ? "full" : "events";
    }
    this.#settleNotices();
    return "nothing";
  }

  /**
   * Takes what is queued, up to the size of a batch; a larger frame is a batch of its own. The batch may be empty if what
   * was queued is no event: then it shows that nothing is queued any more.
   */
  take(): InboxBatch<T> {
    const { maxBatchEvents } = this.#settings;
    const now = this.#context.time.now();
    const columns = new EventColumns<T>();
    let lines = 0;
    for (let entry = this.#queue.take(); entry !== undefined;) {
      lines += entry.lines.length;
      this.#open(entry, now, columns);
      entry = this.#queue.take(lines === 0 ? undefined : maxBatchEvents - lines);
    }
    this.#read += columns.length;
    return columns.columns();
  }

  /** Drops everything without counting it, when the partition closes. */
  clear(): void {
    this.#queue.clear();
  }

  /** The channel is subscribed for the first time in this run. @param resumed whether the task has run before */
  begin(records: ProducerRecords | undefined, resumed: boolean): void {
    if (!resumed) this.#outageLoss.begin(records);
    else {
      this.#ledger.interrupted(this.#context.time.now());
      this.#mark((now) => {
        const from = this.#resumedAt ?? now;
        this.#outageLoss.resume(records, from, now);
      });
    }
  }

  /** The subscription was interrupted from `from` (ms) until now. */
  missed(from: number, records: ProducerRecords | undefined): void {
    this.#ledger.interrupted(this.#context.time.now());
    this.#mark((now) => {
      this.#outageLoss.missed(from, records, now);
    });
  }

  /** Takes the last records of the producers: what never came is lost, if the subscription was ever interrupted. */
  learn(records: ProducerRecords | undefined): void {
    this.#mark((now) => {
      this.#outageLoss.learn(records, now);
    });
  }

  settledUpTo(): number {
    return this.#ledger.settledUpTo(this.#context.time.now());
  }

  completeness(open: number, close: number): Completeness {
    return this.#outageLoss.leavesUnknown(open, close) ? "unknown" : this.#ledger.completeness(open, close);
  }

  /** The account of numbers after the last batch, and the time up to which everything was taken. */
  snapshot(): Json {
    if (this.#queue.length === 0) this.#takenUpTo = this.#context.time.now();
    return { ...this.#ledger.snapshot(), [TAKEN_UP_TO]: this.#takenUpTo };
  }

  stats(): InboxStats {
    const ledger = this.#ledger.stats();
    const { uncertainSince } = this.#outageLoss;
    return {
      ...ledger,
      ...(uncertainSince === undefined ? {} : { uncertainSince }),
      lost: ledger.lost + this.#droppedBare,
      read: this.#read,
      queued: this.#queue.length,
      messages: this.#messages,
      malformed: this.#malformed,
      dropped: this.#dropped,
    };
  }

  #admit(decoded: Frame, message: Message): void {
    if (decoded.kind === "bare") {
      const [only] = decoded.lines;
      // The common case: a message is as long as its line, or has one line feed more.
      if (only !== undefined && decoded.lines.length === 1) this.#admitLine(only, message.length);
      else for (const line of decoded.lines) this.#admitLine(line, bytesOf(line));
    } else if (decoded.kind === "frame") {
      if (decoded.attributes !== undefined) this.#layout?.hear(decoded.attributes);
      const header = this.#from === undefined ? decoded : headerOn(this.#from.channel, decoded);
      this.#admitFrame(header, decoded.lines, message.length);
    } else if (this.#hasRoom()) {
      const bytes = typeof message === "string" ? Buffer.from(message) : message;
      // A copy, because the memory belongs to the socket.
      this.#queue.pushMalformed(Uint8Array.from(bytes), decoded.reason, message.length);
    } else {
      this.#dropped += 1;
    }
  }

  #cameOn(bytes: Buffer): void {
    if (this.#from?.bytes.equals(bytes) === true) return;
    // A copy, because the memory belongs to the socket.
    this.#from = { bytes: Buffer.from(bytes), channel: bytes.toString() };
    this.#queue.from(this.#from.channel);
  }

  #admitLine(line: RawLine, bytes: number): void {
    if (this.#hasRoom()) {
      this.#queue.pushLine(line, bytes);
      return;
    }
    this.#dropped += 1;
    this.#droppedBare += 1;
  }

  #admitFrame(header: FrameHeader, lines: readonly RawLine[], bytes: number): void {
    if (lines.length > 0 && this.#hasRoom()) {
      this.#queue.pushFrame(header, lines, bytes);
      return;
    }
    this.#dropped += lines.length;
    this.#queue.pushNotice(header);
  }

  #hasRoom(): boolean {
    const { onOverflow } = this.#settings;
    // While paused the socket is not read; the queue still accepts what was read before.
    if (onOverflow === "pause") return true;
    if (onOverflow === "drop-oldest") {
      while (this.#queue.full) this.#drop(this.#queue.dropOldest());
    }
    if (!this.#queue.full && !this.#overflowed) return true;
    this.#overflowed ||= onOverflow === "fail";
    return false;
  }

  #drop(entry: QueueEntry | undefined): void {
    if (entry === undefined) return;
    const { header, reason, lines, mark } = entry;
    if (reason !== undefined) {
      this.#refuse(entry);
      return;
    }
    this.#dropped += lines.length;
    if (header !== undefined) this.#acceptNotice(header, this.#context.time.now());
    else if (mark !== undefined) mark();
    else this.#droppedBare += lines.length;
  }

  /** Header-only entries and marks with no event before them need not wait to be taken. */
  #settleNotices(): void {
    const now = this.#context.time.now();
    for (let notice = this.#queue.take(); notice !== undefined; notice = this.#queue.take()) {
      if (notice.header !== undefined) this.#acceptNotice(notice.header, now);
      else notice.mark?.();
    }
  }

  /** Runs `act` in order of arrival, after the account has taken all that is queued now. */
  #mark(act: (now: number) => void): void {
    this.#queue.pushMark(() => {
      act(this.#context.time.now());
    });
    if (this.#queue.length === 0) this.#settleNotices();
  }

  #acceptNotice(header: FrameHeader, now: number): void {
    this.#suspicions.note(header, this.#ledger.acceptDropped(header, now));
  }

  #open(entry: QueueEntry, now: number, columns: EventColumns<T>): void {
    const { header, reason, lines, channel, mark } = entry;
    if (reason !== undefined) {
      this.#refuse(entry);
    } else if (mark !== undefined) {
      mark();
    } else if (header === undefined) {
      this.#ledger.acceptBare(now);
      columns.add(this.#deliver(lines, channel), Number.NaN);
    } else if (lines.length === 0) {
      this.#acceptNotice(header, now);
    } else {
      const verdict = this.#ledger.accept(header, now);
      if (verdict.suspicion !== undefined) this.#suspicions.note(header, verdict);
      const events = this.#deliver(lines, channel);
      for (const { from, to } of verdict.fresh) columns.add(events, verdict.publishedAtMs, from, to);
    }
  }

  #refuse({ lines, reason }: QueueEntry): void {
    const [message] = lines;
    if (message === undefined || reason === undefined) return;
    this.#malformed += 1;
    this.#context.reject(message, reason);
  }
}

/** A producer numbers its events for each channel, so with a pattern it counts as another producer on each. */
function headerOn(channel: string, header: FrameHeader): FrameHeader {
  return { ...header, producer: `${channel}/${header.producer}` };
}

function takenUpToOf(position: Json | undefined): number | undefined {
  if (typeof position !== "object" || position === null) return undefined;
  const time: unknown = Reflect.get(position, TAKEN_UP_TO);
  return typeof time === "number" ? time : undefined;
}
