import { withDefaults } from "@millrace/dataflow";
import type { Json, SourcePartition } from "@millrace/dataflow";
import type { FrameHeader } from "./frame.ts";
import { finite, readLedgerState, writeProducer } from "./ledger-state.ts";
import type { ProducerState } from "./ledger-state.ts";
import { MissingNumbers } from "./missing-numbers.ts";
import type { NumberRange } from "./missing-numbers.ts";
import type { ProducerRecord } from "./producer-records.ts";

type Completeness = ReturnType<NonNullable<SourcePartition<unknown>["completeness"]>>;

/** Bounds of a {@link ProducerLedger}. */
export interface LedgerOptions {
  /** Producers remembered; one more, and the one silent for longest is forgotten. `@default 1_024` */
  readonly maxProducers?: number;
  /** A producer not heard for so long is forgotten. Resent events of it would count as new. `@default 86_400_000 (a day)` */
  readonly forgetAfterMs?: number;
  /**
   * How long a producer may be silent before windows are judged without it: it has ended, since a living one sends
   * a heartbeat every second. `@default 60_000`
   */
  readonly silentAfterMs?: number;
  /**
   * Ranges of missing numbers told apart, or one for each producer if these are more. Beyond it the oldest become one:
   * fewer losses are sure, more are possible, and what comes late may be delivered twice. `@default 256`
   */
  readonly maxLosses?: number;
  /**
   * How far (ms) a publish time may lie ahead of the message's arrival. One beyond it is not believed: the time of
   * arrival counts in its place. `Infinity`: all are believed. `@default 300_000 (5 minutes)`
   */
  readonly maxFutureMs?: number;
  /**
   * How many events a second one producer can publish here. A gap that it could not have published since it was last
   * heard (or within 10 s, if that is more) is not believed: nothing counts as lost. `Infinity`: all are believed.
   * `@default 1_000_000`
   */
  readonly maxEventsPerSecond?: number;
}

/** Defaults of {@link LedgerOptions}. */
export const DEFAULT_LEDGER_OPTIONS: Required<LedgerOptions> = Object.freeze({
  maxProducers: 1_024,
  forgetAfterMs: 86_400_000,
  silentAfterMs: 60_000,
  maxLosses: 256,
  maxFutureMs: 300_000,
  maxEventsPerSecond: 1_000_000,
});

/** Clocks and arrivals are not exact: a gap may have been published within so long in any case. */
const LEAST_GAP_MS = 10_000;

/** What was not believed of a message. */
export type Suspicion = "publish-time" | "number";

/** What a frame turned out to be. */
export interface FrameVerdict {
  /** Which of its events are delivered, as offsets into the frame, in order; the others are duplicates. */
  readonly fresh: readonly NumberRange[];
  readonly duplicates: number;
  /** Of those delivered, the ones that may have come before: that is not known any more. */
  readonly unsure: number;
  /** Events before it that did not come: its producer numbered them, no reader has seen them. */
  readonly lost: number;
  /** Events that had been taken for lost, and are not surely lost now. */
  readonly recovered: number;
  /** When it was published (ms), as far as that is believed; else when it came. */
  readonly publishedAtMs: number;
  readonly suspicion: Suspicion | undefined;
}

/** Counts since the ledger was made, in events. */
export interface LedgerStats {
  /** Surely missing now: gaps, less what came after all. */
  readonly lost: number;
  readonly duplicates: number;
  /** Delivered, and perhaps not for the first time: see `maxLosses`. */
  readonly possibleDuplicates: number;
  /** Came after events with higher numbers. */
  readonly reordered: number;
  /** Had a number or a publish time that was not believed; a heartbeat counts as one. */
  readonly suspicious: number;
  /** Producers remembered. */
  readonly producers: number;
  /** Producers forgotten, for their silence or at the bound. */
  readonly forgotten: number;
}

/**
 * Keeps account of what came on one partition, by the numbers that each producer gives its events.
 *
 * It is pure: time comes in as an argument. It belongs to the position: fed with what was delivered, snapshot and
 * restored with it, it recognises after a crash what is resent, and what was published in between and never read.
 *
 * A producer begins at number 0. One that is first heard at a higher number may have sent the others before this
 * consumer listened: they do not count as lost, but windows that reach back to that moment are "unknown".
 */
export class ProducerLedger {
  readonly #options: Required<LedgerOptions>;
  readonly #producers: Map<string, ProducerState>;
  readonly #missing: MissingNumbers;
  /** Numbers of a frame that lay too far ahead, by producer: if the next one follows on, its numbering has moved. */
  readonly #jumps = new Map<string, NumberRange>();
  /** When the last bare line came: nothing tells what is missing around it. */
  #bareAt: number;
  /** When the input was last whole again after an interruption. */
  #interruptedAt: number;
  /** Windows that open up to here may miss events of producers that were forgotten. */
  #forgottenUntil: number;
  #lost = 0;
  #duplicates = 0;
  #unsure = 0;
  #reordered = 0;
  #suspicious = 0;
  #forgotten = 0;

  /**
   * @param state what {@link snapshot} returned
   * @throws RedisPositionError when `state` is something else
   */
  constructor(options: LedgerOptions = {}, state?: Json) {
    this.#options = withDefaults(DEFAULT_LEDGER_OPTIONS, options);
    const { producers, missing, forgotten, bareAt, interruptedAt, forgottenUntil } = readLedgerState(state);
    this.#producers = new Map(producers);
    this.#missing = new MissingNumbers(this.#options.maxLosses, missing, forgotten);
    this.#bareAt = bareAt;
    this.#interruptedAt = interruptedAt;
    this.#forgottenUntil = forgottenUntil;
  }

  /** Takes a frame, or a heartbeat, that came at `now` (ms). */
  accept(header: FrameHeader, now: number): FrameVerdict {
    const publishedAtMs = this.#believedTime(header.publishedAtMs, now);
    const suspicion = publishedAtMs === header.publishedAtMs ? undefined : "publish-time";
    const verdict = this.#account(header, { publishedAtMs, suspicion }, now);
    if (verdict.suspicion !== undefined) this.#suspicious += Math.max(1, header.count);
    return verdict;
  }

  /** Takes a frame that came at `now` (ms) and whose events were dropped: they are missing. */
  acceptDropped(header: FrameHeader, now: number): FrameVerdict {
    const { producer, first, count, publishedAtMs } = header;
    if (count === 0) return this.accept(header, now);
    // As two heartbeats, before and after: what is between them is missing.
    const before = this.accept({ producer, first, count: 0, publishedAtMs }, now);
    if (before.suspicion === "number") return before;
    const end = { ...header, first: first + count, count: 0, publishedAtMs: before.publishedAtMs };
    const { lost } = this.accept(end, now);
    return { ...before, lost: before.lost + lost };
  }

  /**
   * Takes what a producer has kept of itself, read at `now` (ms): all that it published up to then has come or is lost.
   *
   * @param began whether it began while this consumer listened: then all its numbers are claimed
   */
  learn(id: string, record: ProducerRecord, began: boolean, now: number): FrameVerdict {
    const { next: first, ended, since } = record;
    const publishedAtMs = this.#believedTime(record.publishedAtMs, now);
    let known = this.#producers.get(id);
    const heardAt = known?.heardAt ?? Number.NEGATIVE_INFINITY;
    if (known === undefined) {
      const next = began ? 0 : first;
      const heardUpTo = began ? Math.min(since, publishedAtMs) : publishedAtMs;
      known = this.#meet(id, { next, first: next, heardUpTo }, now);
    }
    const attributes = ended ? { end: "1" } : {};
    const verdict = this.accept({ producer: id, first, count: 0, publishedAtMs, attributes }, now);
    known.heardAt = Math.max(heardAt, Math.min(publishedAtMs, now));
    known.unheard = !known.ended;
    return verdict;
  }

  /** A message without numbers came at `now` (ms). */
  acceptBare(now: number): void {
    this.#bareAt = Math.max(this.#bareAt, now);
  }

  /**
   * The input was interrupted and is whole again since `now` (ms): each producer's next number will tell what was
   * missed, and until then nothing is sure about the time since it was heard.
   */
  interrupted(now: number): void {
    this.#interruptedAt = Math.max(this.#interruptedAt, now);
  }

  /** Messages after those accepted so far may have been missed, from `from` on (ms): see {@link unheardSince}. */
  missedFrom(from: number): void {
    for (const producer of this.#producers.values()) {
      // One that was silent for long had ended before.
      if (producer.heardAt + this.#options.silentAfterMs >= from) producer.unheard = !producer.ended;
    }
  }

  /**
   * Since when (publish time, ms) a producer may have published what was missed and is not counted as lost, since it
   * has not been heard again; `undefined`: there is none.
   */
  get unheardSince(): number | undefined {
    let since: number | undefined;
    for (const { unheard, heardUpTo } of this.#producers.values()) {
      if (unheard) since = Math.min(since ?? heardUpTo, heardUpTo);
    }
    return since;
  }

  /** When a producer was last heard (ms, by the consumer's clock); `-Infinity`: none was. */
  get heardAt(): number {
    let heardAt = Number.NEGATIVE_INFINITY;
    for (const producer of this.#producers.values()) heardAt = Math.max(heardAt, producer.heardAt);
    return heardAt;
  }

  /** Whether bare lines came: what is missing of them, no number tells. */
  get bare(): boolean {
    return this.#bareAt !== Number.NEGATIVE_INFINITY;
  }

  /** Whether the producer has been heard and not forgotten. */
  knows(producer: string): boolean {
    return this.#producers.has(producer);
  }

  /**
   * Whether all events published in `[open, close)` came: `true`, the bounds of how many are missing, or "unknown":
   * a producer has not been heard up to `close` yet, or not since `open`, or not by numbers.
   */
  completeness(open: number, close: number): Completeness {
    const { silentAfterMs } = this.#options;
    if (this.#producers.size === 0) return "unknown";
    if (open <= Math.max(this.#bareAt + silentAfterMs, this.#forgottenUntil)) return "unknown";
    for (const producer of this.#producers.values()) {
      if (open <= producer.heardFrom) return "unknown";
      if (producer.ended || producer.heardUpTo >= close) continue;
      if (open <= this.#silentFrom(producer)) return "unknown";
    }
    const missing = this.#missing.missing(open, close);
    return missing.atMost === 0 ? true : missing;
  }

  /**
   * Publish time (ms) up to which every producer has been heard. One that has ended is not waited for, nor one that
   * has been silent for `silentAfterMs` at `now`; `Infinity`: there is no other.
   */
  settledUpTo(now: number): number {
    let upTo = Number.POSITIVE_INFINITY;
    for (const { ended, heardUpTo } of this.#producers.values()) {
      if (!ended && heardUpTo + this.#options.silentAfterMs >= now) upTo = Math.min(upTo, heardUpTo);
    }
    return upTo;
  }

  /** Figures at this moment. */
  stats(): LedgerStats {
    return {
      // What an earlier ledger had counted as lost may have come to this one.
      lost: Math.max(0, this.#lost),
      duplicates: this.#duplicates,
      possibleDuplicates: this.#unsure,
      reordered: this.#reordered,
      suspicious: this.#suspicious,
      producers: this.#producers.size,
      forgotten: this.#forgotten,
    };
  }

  /** All it knows but for the counts, as JSON. */
  snapshot(): Readonly<Record<string, Json>> {
    return {
      producers: Array.from(this.#producers, ([id, state]) => writeProducer(id, state)),
      losses: this.#missing.snapshot(),
      bareAt: finite(this.#bareAt),
      interruptedAt: finite(this.#interruptedAt),
      forgottenUntil: finite(this.#forgottenUntil),
    };
  }

  #believedTime(publishedAtMs: number, now: number): number {
    return publishedAtMs > now + this.#options.maxFutureMs ? now : publishedAtMs;
  }

  #account(header: FrameHeader, stamp: Stamp, now: number): FrameVerdict {
    const { producer: id, first, count, attributes } = header;
    const { publishedAtMs } = stamp;
    const end = first + count;
    const known = this.#producers.get(id);
    if (known === undefined) {
      this.#meet(id, { next: end, first, heardUpTo: publishedAtMs, ended: saysEnd(header) }, now);
      return wholeFrame(count, 0, stamp);
    }
    const { next, heardUpTo } = known;
    if (first > next && !this.#believes(known, first - next, publishedAtMs, now)) {
      return this.#doubt(id, known, header, stamp, now);
    }
    this.#jumps.delete(id);
    known.heardAt = now;
    known.heardUpTo = Math.max(heardUpTo, publishedAtMs);
    known.unheard = false;
    // A name that lasts may come back: it is heard before it has events.
    if (end > next || publishedAtMs > heardUpTo) known.ended = false;
    if (attributes !== undefined && first >= next && saysEnd(header)) known.ended = true;
    if (first < next) {
      known.next = Math.max(next, end);
      return this.#acceptEarlier(id, known, { from: first, to: end }, next, stamp);
    }
    known.next = end;
    if (first > next) {
      const published = { from: Math.min(heardUpTo, publishedAtMs), to: known.heardUpTo };
      this.#missing.add(id, { from: next, to: first }, true, published);
      this.#lost += first - next;
    }
    return wholeFrame(count, first - next, stamp);
  }

  /** First heard now: what it sent before, it may have sent before this consumer listened. */
  #meet(id: string, { next, first, heardUpTo, ended = false }: Acquaintance, now: number): ProducerState {
    this.#makeRoom(now);
    const known: ProducerState = {
      next,
      heardFrom: first === 0 ? Number.NEGATIVE_INFINITY : heardUpTo,
      heardUpTo,
      heardAt: now,
      ended,
      unheard: false,
    };
    this.#producers.set(id, known);
    if (first > 0) {
      this.#missing.add(id, { from: 0, to: first }, false, { from: heardUpTo, to: heardUpTo });
    }
    return known;
  }

  /** Whether a producer can have published so many events since it was heard. */
  #believes(
    { heardAt, heardUpTo }: ProducerState,
    events: number,
    publishedAtMs: number,
    now: number,
  ): boolean {
    const sinceMs = Math.max(LEAST_GAP_MS, now - heardAt, publishedAtMs - heardUpTo);
    return events <= (this.#options.maxEventsPerSecond * sinceMs) / 1_000;
  }

  /**
   * A number too far ahead: the frame is delivered as if it had none, unless it goes on from another of the kind. Then
   * the producer's numbering has moved, and what is between is not known.
   */
  #doubt(
    id: string,
    known: ProducerState,
    { first, count }: FrameHeader,
    { publishedAtMs }: Stamp,
    now: number,
  ): FrameVerdict {
    const suspicion = "number";
    const jump = this.#jumps.get(id);
    if (jump !== undefined && first >= jump.to) {
      const follows = this.#believes(known, first - jump.to, publishedAtMs, now);
      if (follows) {
        const published = { from: known.heardUpTo, to: publishedAtMs };
        this.#missing.add(id, { from: known.next, to: jump.from }, false, published);
        if (first > jump.to) this.#missing.add(id, { from: jump.to, to: first }, true, published);
        this.#lost += first - jump.to;
        this.#jumps.delete(id);
        known.next = first + count;
        known.heardUpTo = Math.max(known.heardUpTo, publishedAtMs);
        known.heardFrom = known.heardUpTo;
        known.heardAt = now;
        return wholeFrame(count, first - jump.to, { publishedAtMs, suspicion });
      }
    }
    this.#jumps.set(id, { from: first, to: first + count });
    return wholeFrame(count, 0, { publishedAtMs, suspicion });
  }

  /** Numbers below `next`: seen before, or missing until now. */
  #acceptEarlier(
    id: string,
    known: ProducerState,
    { from, to }: NumberRange,
    next: number,
    stamp: Stamp,
  ): FrameVerdict {
    const { ranges, unsure, recovered, unclaimed } = this.#missing.take(id, { from, to: Math.min(to, next) });
    // Published later than where it was first heard: that number was broken, and what was lost since is not claimed.
    if (unclaimed) known.heardFrom = Math.max(known.heardFrom, stamp.publishedAtMs);
    const fresh = to > next ? [...ranges, { from: next, to }] : ranges;
    const duplicates = to - from - sizeOf(fresh);
    this.#lost -= recovered;
    this.#unsure += unsure;
    this.#reordered += sizeOf(ranges);
    this.#duplicates += duplicates;
    return {
      ...stamp,
      fresh: fresh.map((range) => ({ from: range.from - from, to: range.to - from })),
      duplicates,
      unsure,
      lost: 0,
      recovered,
    };
  }

  /** A window that opens later is judged without this producer, if it is not heard again. */
  #silentFrom({ heardUpTo }: ProducerState): number {
    return Math.max(heardUpTo, this.#interruptedAt) + this.#options.silentAfterMs;
  }

  #makeRoom(now: number): void {
    const { maxProducers, forgetAfterMs, silentAfterMs } = this.#options;
    let silentest: [id: string, producer: ProducerState] | undefined;
    for (const [id, producer] of this.#producers) {
      const { heardAt, ended } = producer;
      if (heardAt + (ended ? silentAfterMs : forgetAfterMs) <= now) this.#forget(id, producer);
      else if (silentest === undefined || isSooner(producer, silentest[1])) silentest = [id, producer];
    }
    if (this.#producers.size < maxProducers || silentest === undefined) return;
    this.#forget(...silentest);
  }

  /** One that has ended sends nothing again, so that nothing is unknown for want of it. */
  #forget(id: string, producer: ProducerState): void {
    this.#producers.delete(id);
    this.#jumps.delete(id);
    this.#missing.forget(id);
    if (!producer.ended) this.#forgotten += 1;
    const unknownUntil = producer.ended ? producer.heardFrom : this.#silentFrom(producer);
    this.#forgottenUntil = Math.max(this.#forgottenUntil, unknownUntil);
  }
}

/** What is believed of when a message was published. */
type Stamp = Pick<FrameVerdict, "publishedAtMs" | "suspicion">;

interface Acquaintance {
  readonly next: number;
  readonly first: number;
  readonly heardUpTo: number;
  readonly ended?: boolean;
}

function wholeFrame(count: number, lost: number, { publishedAtMs, suspicion }: Stamp): FrameVerdict {
  const fresh = count === 0 ? [] : [{ from: 0, to: count }];
  return { fresh, duplicates: 0, unsure: 0, lost, recovered: 0, publishedAtMs, suspicion };
}

function saysEnd({ count, attributes }: FrameHeader): boolean {
  return count === 0 && attributes?.["end"] === "1";
}

/** Who is forgotten first: those that have ended, then those silent for longest. */
function isSooner(a: ProducerState, b: ProducerState): boolean {
  return a.ended === b.ended ? a.heardAt < b.heardAt : a.ended;
}

function sizeOf(ranges: readonly NumberRange[]): number {
  return ranges.reduce((sum, { from, to }) => sum + to - from, 0);
}
