import { withDefaults } from "@millrace/dataflow";
import type { Json, SourcePartition } from "@millrace/dataflow";
import type { FrameHeader } from "./frame.ts";
import { finite, readLedgerState, writeProducer } from "./ledger-state.ts";
import type { ProducerState } from "./ledger-state.ts";
import { MissingNumbers } from "./loss.ts";
import type { NumberRange } from "./loss.ts";
import type { ProducerRecord } from "./producer-records.ts";

type Completeness = ReturnType<NonNullable<SourcePartition<unknown>["completeness"]>>;

/** Limits of a {@link ProducerLedger}. */
export interface LedgerOptions {
  /** Most producers remembered; beyond it the one silent for longest is forgotten. `@default 1_024` */
  readonly maxProducers?: number;
  /** A producer silent for this long, ms, is forgotten: resent events would count as new. `@default 86_400_000 (a day)` */
  readonly forgetAfterMs?: number;
  /**
   * How long (ms) a producer may be silent before windows complete without it: a running one sends a heartbeat every
   * second, so it has ended. `@default 60_000`
   */
  readonly silentAfterMs?: number;
  /**
   * Most ranges of missing numbers that are kept apart, or one for each producer if these are more. Beyond it the oldest
   * become one: fewer losses are sure, more are possible, and late events may be delivered twice. `@default 256`
   */
  readonly maxLosses?: number;
  /**
   * How far (ms) a publish time may be ahead of the message's arrival. A later one is not believed, and the time of arrival
   * counts in its place. `Infinity`: all are believed. `@default 300_000 (5 minutes)`
   */
  readonly maxFutureMs?: number;
  /**
   * How many events one producer can publish here in a second. A gap larger than it can have published since it was last
   * heard (or in 10 s, if that is longer) is not believed, and nothing counts as lost. `Infinity`: all are believed.
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

/** The least time in which a gap may have been published, since clocks and arrivals are not exact. */
const LEAST_GAP_MS = 10_000;

/** Which part of a message was not believed. */
export type Suspicion = "publish-time" | "number";

/** The result for a frame. */
export interface FrameVerdict {
  /** The events to deliver, as offsets into the frame, in order; the others are duplicates. */
  readonly fresh: readonly NumberRange[];
  readonly duplicates: number;
  /** How many of those may have come before; that is no longer known. */
  readonly unsure: number;
  /** Events before it that did not come: the producer numbered them, but they never arrived. */
  readonly lost: number;
  /** Events that counted as lost, and are no longer surely lost. */
  readonly recovered: number;
  /** When it was published (ms), if that is believed; else when it came. */
  readonly publishedAtMs: number;
  readonly suspicion: Suspicion | undefined;
}

/** Counts since the ledger was made, in events. */
export interface LedgerStats {
  /** Surely missing now: gaps, minus what came late. */
  readonly lost: number;
  readonly duplicates: number;
  /** Delivered, perhaps not for the first time: see `maxLosses`. */
  readonly possibleDuplicates: number;
  /** Came after events with higher numbers. */
  readonly reordered: number;
  /** Had a number or a publish time that was not believed; a heartbeat counts as one. */
  readonly suspicious: number;
  /** Producers remembered. */
  readonly producers: number;
  /** Producers forgotten, because of their silence or at the limit. */
  readonly forgotten: number;
}

/**
 * Tracks what came on one partition, by the numbers that each producer gives its events.
 *
 * It is pure: time is an argument. It is part of the position: it accounts for what was delivered, and is saved and
 * restored with the position. So after a crash it recognises duplicates, and events that were published in between and
 * never read.
 *
 * A producer begins at number 0. If the first number received is higher, the others may have been sent before this consumer
 * subscribed: they do not count as lost, but windows that reach back to that time are "unknown".
 */
export class ProducerLedger {
  readonly #options: Required<LedgerOptions>;
  readonly #producers: Map<string, ProducerState>;
  readonly #missing: MissingNumbers;
  readonly #wholeFrom: number;
  /** Numbers of a frame that were too far ahead, by producer: if the next one follows them, the numbering has jumped. */
  readonly #jumps = new Map<string, NumberRange>();
  /** When the last bare line came: around it, nothing shows what is missing. */
  #bareAt: number;
  /** When the last interruption of the input ended. */
  #interruptedAt: number;
  /** Windows that open up to this time may lack events of producers that were forgotten. */
  #forgottenUntil: number;
  #lost = 0;
  #duplicates = 0;
  #unsure = 0;
  #reordered = 0;
  #suspicious = 0;
  #forgotten = 0;

  /**
   * @param state what {@link snapshot} returned
   * @param wholeFrom everything that was published from then on comes (ms): a producer's earlier numbers were left out on
   *   purpose. `@default never`
   * @throws RedisPositionError if `state` is something else
   */
  constructor(options: LedgerOptions = {}, state?: Json, wholeFrom: number = Number.POSITIVE_INFINITY) {
    this.#options = withDefaults(DEFAULT_LEDGER_OPTIONS, options);
    const { producers, missing, forgotten, bareAt, interruptedAt, forgottenUntil } = readLedgerState(state);
    this.#producers = new Map(producers);
    this.#wholeFrom = wholeFrom;
    this.#missing = new MissingNumbers(this.#options.maxLosses, missing, forgotten);
    this.#bareAt = bareAt;
    this.#interruptedAt = interruptedAt;
    this.#forgottenUntil = forgottenUntil;
  }

  /** Accounts for a frame or a heartbeat that came at `now` (ms). */
  accept(header: FrameHeader, now: number): FrameVerdict {
    const publishedAtMs = this.#believedTime(header.publishedAtMs, now);
    const suspicion = publishedAtMs === header.publishedAtMs ? undefined : "publish-time";
    const verdict = this.#account(header, { publishedAtMs, suspicion }, now);
    if (verdict.suspicion !== undefined) this.#suspicious += Math.max(1, header.count);
    return verdict;
  }

  /** Accounts for a frame that came at `now` (ms) and whose events were dropped: they are missing. */
  acceptDropped(header: FrameHeader, now: number): FrameVerdict {
    const { producer, first, count, publishedAtMs } = header;
    if (count === 0) return this.accept(header, now);
    // As two heartbeats, before and after the events: so these are missing.
    const before = this.accept({ producer, first, count: 0, publishedAtMs }, now);
    if (before.suspicion === "number") return before;
    const end = { ...header, first: first + count, count: 0, publishedAtMs: before.publishedAtMs };
    const { lost } = this.accept(end, now);
    return { ...before, lost: before.lost + lost };
  }

  /**
   * Takes the record of a producer, read at `now` (ms): all that it published up to then has come or is lost.
   *
   * @param began whether it began while this consumer was subscribed: then all its numbers are claimed
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
   * The input was interrupted until `now` (ms). Each producer's next number will show what was missed; until then the time
   * since it was last heard is uncertain.
   */
  interrupted(now: number): void {
    this.#interruptedAt = Math.max(this.#interruptedAt, now);
  }

  /** Messages after those accepted so far may have been missed, from `from` on (ms): see {@link unheardSince}. */
  missedFrom(from: number): void {
    for (const producer of this.#producers.values()) {
      // A producer that was silent for long ended before.
      if (producer.heardAt + this.#options.silentAfterMs >= from) producer.unheard = !producer.ended;
    }
  }

  /**
   * Since when (publish time, ms) events may be missing that do not count as lost, because their producer has not been heard
   * again; `undefined`: there is no such producer.
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

  /** Whether bare lines came: no number shows how many of them are missing. */
  get bare(): boolean {
    return this.#bareAt !== Number.NEGATIVE_INFINITY;
  }

  /** Whether the producer was heard and is not forgotten. */
  knows(producer: string): boolean {
    return this.#producers.has(producer);
  }

  /**
   * Whether all events published in `[open, close)` came: `true`, or how many are missing, at least and at most. "unknown" if
   * a producer has not been heard up to `close` yet, or not since `open`, or its events have no numbers.
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
   * Publish time (ms) up to which every producer has been heard, except those that have ended or were silent for
   * `silentAfterMs` at `now`. `Infinity`: there is no other.
   */
  settledUpTo(now: number): number {
    let upTo = Number.POSITIVE_INFINITY;
    for (const { ended, heardUpTo } of this.#producers.values()) {
      if (!ended && heardUpTo + this.#options.silentAfterMs >= now) upTo = Math.min(upTo, heardUpTo);
    }
    return upTo;
  }

  /** The counts now. */
  stats(): LedgerStats {
    return {
      // It may be negative: events that an earlier ledger counted as lost may have come to this one.
      lost: Math.max(0, this.#lost),
      duplicates: this.#duplicates,
      possibleDuplicates: this.#unsure,
      reordered: this.#reordered,
      suspicious: this.#suspicious,
      producers: this.#producers.size,
      forgotten: this.#forgotten,
    };
  }

  /** The whole state except the counts, as JSON. */
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
    // A lasting producer may come back: a heartbeat comes before its events.
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

  /** Adds a producer. Lower numbers may have been sent before this consumer subscribed. */
  #meet(id: string, { next, first, heardUpTo, ended = false }: Acquaintance, now: number): ProducerState {
    this.#makeRoom(now);
    const known: ProducerState = {
      next,
      // A window that opens at this time or before is "unknown".
      heardFrom: first === 0 ? Number.NEGATIVE_INFINITY : Math.min(heardUpTo, this.#wholeFrom - 1),
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

  /** Whether a producer can have published this many events since it was last heard. */
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
   * A number too far ahead: the frame is delivered as if it had no number, unless it follows another such frame. Then the
   * producer's numbering has jumped, and what is between is not known.
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

  /** Numbers below `next`: duplicates, or missing until now. */
  #acceptEarlier(
    id: string,
    known: ProducerState,
    { from, to }: NumberRange,
    next: number,
    stamp: Stamp,
  ): FrameVerdict {
    const { ranges, unsure, recovered, unclaimed } = this.#missing.take(id, { from, to: Math.min(to, next) });
    // Published after the first frame received, so the number of that frame was wrong: losses since then are not claimed.
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

  /** A window that opens later completes without this producer, unless it is heard again. */
  #silentFrom({ heardUpTo }: ProducerState): number {
    return Math.max(heardUpTo, this.#interruptedAt) + this.#options.silentAfterMs;
  }

  #makeRoom(now: number): void {
    const { maxProducers, forgetAfterMs, silentAfterMs } = this.#options;
    let leastRecentlyHeard: [id: string, producer: ProducerState] | undefined;
    for (const [id, producer] of this.#producers) {
      const { heardAt, ended } = producer;
      if (heardAt + (ended ? silentAfterMs : forgetAfterMs) <= now) this.#forget(id, producer);
      else if (leastRecentlyHeard === undefined || isSooner(producer, leastRecentlyHeard[1]))
        leastRecentlyHeard = [id, producer];
    }
    if (this.#producers.size < maxProducers || leastRecentlyHeard === undefined) return;
    this.#forget(...leastRecentlyHeard);
  }

  /** A producer that has ended sends nothing more, so forgetting it leaves nothing unknown. */
  #forget(id: string, producer: ProducerState): void {
    this.#producers.delete(id);
    this.#jumps.delete(id);
    this.#missing.forget(id);
    if (!producer.ended) this.#forgotten += 1;
    const unknownUntil = producer.ended ? producer.heardFrom : this.#silentFrom(producer);
    this.#forgottenUntil = Math.max(this.#forgottenUntil, unknownUntil);
  }
}

/** The believed publish time of a message. */
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

/** Whether `a` is forgotten first: those that have ended, then those silent for longest. */
function isSooner(a: ProducerState, b: ProducerState): boolean {
  return a.ended === b.ended ? a.heardAt < b.heardAt : a.ended;
}

function sizeOf(ranges: readonly NumberRange[]): number {
  return ranges.reduce((sum, { from, to }) => sum + to - from, 0);
}
