import type { Json, PartContext, RawLine, SourcePartition } from "@millrace/dataflow";
import { bytesOf } from "../wire/frame.ts";
import type { FrameHeader } from "../wire/frame.ts";
import { decodeFrame } from "../wire/decode-frame.ts";
import { HoleAccount } from "../wire/hole-account.ts";
import { ProducerLedger } from "../wire/producer-ledger.ts";
import type { LedgerStats } from "../wire/producer-ledger.ts";
import type { ProducerRecords } from "../wire/producer-records.ts";
import { SuspicionLog } from "../wire/suspicion-log.ts";
import type { LayoutGuard } from "../partitions/layout-record.ts";
import { EventColumns } from "../wire/event-columns.ts";
import { EventQueue } from "./event-queue.ts";
import type { Parcel } from "./event-queue.ts";
import type { PubSubSettings } from "./pubsub-source-options.ts";

type Completeness = ReturnType<NonNullable<SourcePartition<unknown>["completeness"]>>;

/** Events in order of arrival, with the publish times of their frames where messages may be frames. */
export interface InboxBatch {
  readonly events: readonly RawLine[];
  readonly times?: readonly number[];
}

/** Where every event that arrived went. */
export interface InboxStats extends LedgerStats {
  readonly read: number;
  readonly queued: number;
  readonly messages: number;
  readonly malformed: number;
  readonly dropped: number;
  readonly uncertainSince?: number;
}

/**
 * How it stands after a message: nothing waits; events do; they do and no more may be read until some are taken (policy
 * `pause`); or the message did not fit, and nothing more is wanted (policy `fail`).
 */
export type Arrival = "nothing" | "events" | "full" | "overflow";

/** The field of a position that says until when (ms) all that came had been taken. */
const TAKEN_UP_TO = "takenUpTo";

type InboxContext = Pick<PartContext, "time" | "reject" | "logger" | "step">;

/**
 * What arrived on a channel and was not taken yet, and the account of numbers.
 *
 * The account is kept of what is taken, not of what arrives: so the snapshot names the position after the last
 * batch, and no window is called complete for events that still lie here.
 */
export class Inbox {
  readonly #settings: PubSubSettings;
  readonly #context: InboxContext;
  readonly #queue: EventQueue;
  readonly #ledger: ProducerLedger;
  readonly #holes: HoleAccount;
  readonly #suspicions: SuspicionLog;
  readonly #layout: LayoutGuard | undefined;
  /** Until when (ms) all that came was taken before this run. */
  readonly #resumedAt: number | undefined;
  /** All that came until then (ms) has been taken. */
  #takenUpTo: number;
  #overflowed = false;
  #read = 0;
  #messages = 0;
  #malformed = 0;
  #dropped = 0;
  /** Of those dropped, the ones that no gap in numbers will tell. */
  #droppedBare = 0;

  /** @throws RedisPositionError when `resume` is none of {@link snapshot}'s */
  constructor(
    channel: string,
    settings: PubSubSettings,
    resume: Json | undefined,
    layout: LayoutGuard | undefined,
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
    this.#holes = new HoleAccount(this.#ledger);
    this.#suspicions = new SuspicionLog(channel, context);
    this.#layout = layout;
  }

  /** Events that wait. */
  get length(): number {
    return this.#queue.length;
  }

  get full(): boolean {
    return this.#queue.full;
  }

  receive(message: Buffer): Arrival {
    this.#messages += 1;
    const { onOverflow } = this.#settings;
    const decoded = decodeFrame(message);
    if (decoded.kind === "bare") {
      const [only] = decoded.lines;
      // The plain case: a message takes what its line takes, but for a line feed at most.
      if (only !== undefined && decoded.lines.length === 1) this.#admitLine(only, message.length);
      else for (const line of decoded.lines) this.#admitLine(line, bytesOf(line));
    } else if (decoded.kind === "frame") {
      if (decoded.attributes !== undefined) this.#layout?.hear(decoded.attributes);
      this.#admitFrame(decoded, decoded.lines, message.length);
    } else if (this.#hasRoom()) {
      // The memory is the socket's.
      this.#queue.pushMalformed(Uint8Array.from(message), decoded.reason, message.length);
    } else {
      this.#dropped += 1;
    }
    if (this.#overflowed) return "overflow";
    if (this.#queue.length > 0) return this.#queue.full && onOverflow === "pause" ? "full" : "events";
    this.#settleNotices();
    return "nothing";
  }

  /**
   * All that waits, up to the size of a batch; a larger frame is a batch of its own. It may be empty when what
   * waited was no event: then it is worth knowing that nothing waits any more.
   */
  take(): InboxBatch {
    const { maxBatchEvents } = this.#settings;
    const now = this.#context.time.now();
    const columns = new EventColumns();
    let lines = 0;
    for (let parcel = this.#queue.take(); parcel !== undefined;) {
      lines += parcel.lines.length;
      this.#open(parcel, now, columns);
      parcel = this.#queue.take(lines === 0 ? undefined : maxBatchEvents - lines);
    }
    this.#read += columns.length;
    return columns.columns();
  }

  /** Drops everything uncounted: nobody wants it any more. */
  clear(): void {
    this.#queue.clear();
  }

  /** The channel is subscribed for the first time in this run. @param resumed by a task that has run before */
  begin(records: ProducerRecords | undefined, resumed: boolean): void {
    if (!resumed) this.#holes.begin(records);
    else {
      this.#ledger.interrupted(this.#context.time.now());
      this.#mark((now) => {
        const from = this.#resumedAt ?? now;
        this.#holes.resume(records, from, now);
      });
    }
  }

  /** The subscription had a hole from `from` on (ms), that ends now. */
  missed(from: number, records: ProducerRecords | undefined): void {
    this.#ledger.interrupted(this.#context.time.now());
    this.#mark((now) => {
      this.#holes.missed(from, records, now);
    });
  }

  /** What producers have said of themselves at last: what of it never came is lost, if there ever was a hole. */
  learn(records: ProducerRecords | undefined): void {
    this.#mark((now) => {
      this.#holes.learn(records, now);
    });
  }

  settledUpTo(): number {
    return this.#ledger.settledUpTo(this.#context.time.now());
  }

  completeness(open: number, close: number): Completeness {
    return this.#holes.leavesUnknown(open, close) ? "unknown" : this.#ledger.completeness(open, close);
  }

  /** The account of numbers after the last batch, and until when nothing is left to take. */
  snapshot(): Json {
    if (this.#queue.length === 0) this.#takenUpTo = this.#context.time.now();
    return { ...this.#ledger.snapshot(), [TAKEN_UP_TO]: this.#takenUpTo };
  }

  stats(): InboxStats {
    const ledger = this.#ledger.stats();
    const { uncertainSince } = this.#holes;
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
    // Paused, the socket is not read any more; what had been read from it is here, and the queue takes it.
    if (onOverflow === "pause") return true;
    if (onOverflow === "drop-oldest") {
      while (this.#queue.full) this.#drop(this.#queue.dropOldest());
    }
    if (!this.#queue.full && !this.#overflowed) return true;
    this.#overflowed ||= onOverflow === "fail";
    return false;
  }

  #drop(parcel: Parcel | undefined): void {
    if (parcel === undefined) return;
    const { header, reason, lines, mark } = parcel;
    if (reason !== undefined) {
      this.#refuse(parcel);
      return;
    }
    this.#dropped += lines.length;
    if (header !== undefined) this.#acceptNotice(header, this.#context.time.now());
    else if (mark !== undefined) mark();
    else this.#droppedBare += lines.length;
  }

  /** Notices and marks with no event before them need not wait to be taken. */
  #settleNotices(): void {
    const now = this.#context.time.now();
    for (let notice = this.#queue.take(); notice !== undefined; notice = this.#queue.take()) {
      if (notice.header !== undefined) this.#acceptNotice(notice.header, now);
      else notice.mark?.();
    }
  }

  /** The account is kept in the order of arrival. */
  #mark(act: (now: number) => void): void {
    this.#queue.pushMark(() => {
      act(this.#context.time.now());
    });
    if (this.#queue.length === 0) this.#settleNotices();
  }

  #acceptNotice(header: FrameHeader, now: number): void {
    this.#suspicions.note(header, this.#ledger.acceptDropped(header, now));
  }

  #open(parcel: Parcel, now: number, columns: EventColumns): void {
    const { header, reason, lines, mark } = parcel;
    if (reason !== undefined) {
      this.#refuse(parcel);
    } else if (mark !== undefined) {
      mark();
    } else if (header === undefined) {
      this.#ledger.acceptBare(now);
      columns.add(lines, Number.NaN);
    } else if (lines.length === 0) {
      this.#acceptNotice(header, now);
    } else {
      const verdict = this.#ledger.accept(header, now);
      if (verdict.suspicion !== undefined) this.#suspicions.note(header, verdict);
      for (const { from, to } of verdict.fresh) columns.add(lines, verdict.publishedAtMs, from, to);
    }
  }

  #refuse({ lines, reason }: Parcel): void {
    const [message] = lines;
    if (message === undefined || reason === undefined) return;
    this.#malformed += 1;
    this.#context.reject(message, reason);
  }
}

function takenUpToOf(position: Json | undefined): number | undefined {
  if (typeof position !== "object" || position === null) return undefined;
  const time: unknown = Reflect.get(position, TAKEN_UP_TO);
  return typeof time === "number" ? time : undefined;
}
