import { at } from "../at.ts";
import { requireColumns } from "../window-engine.ts";
import { PartlyTaken } from "../errors.ts";
import { explain } from "../explain.ts";
import { listFrom, numberFrom, stringFrom, timeFromJson, timeToJson } from "../fields.ts";
import type { Json } from "../json.ts";
import type { Outbox } from "../outbox.ts";
import { requireSameSpec, specOf } from "../state-spec.ts";
import { Timestamps } from "../timestamps.ts";
import type { ResolvedOptions } from "../window-engine-options.ts";
import type {
  KeyedBatch,
  StateChange,
  StateGroup,
  Wake,
  WindowEngine,
  WindowOverflow,
  WindowStats,
} from "../window-engine.ts";
import type { HeldWindow } from "../open-windows.ts";
import type { WindowCause, WindowOutput } from "../window-output.ts";
import { StreamWatermark } from "./stream-watermark.ts";

/** The group that holds the engine's own state; windows are in groups of their own. */
const ENGINE = "engine";

/** What `finish` closed: everything that became due between the two watermarks has this cause. */
interface Ended {
  readonly from: number;
  readonly to: number;
  readonly cause: "end" | "drain";
}

/** Size of the state held, for `stats`. */
export interface HeldState {
  readonly windows: number;
  readonly cells: number;
}

/**
 * The time model `stream`: one watermark for all keys. Whether a window is open, due or over depends on the watermark
 * alone, so rows that wait for a page belong to windows that are due and still held.
 */
export abstract class StreamEngine<V, A, R> implements WindowEngine<V, R> {
  protected readonly options: ResolvedOptions<V, A, R>;
  protected readonly outbox: Outbox<V, R>;
  protected readonly timestamps: Timestamps<V>;
  protected readonly watermark: StreamWatermark = new StreamWatermark();
  /** The latest system time seen, with `#aheadMs`. */
  protected now: number = Number.NEGATIVE_INFINITY;
  /** When early results are due; Infinity while nothing changed. */
  protected earlyAt: number = Number.POSITIVE_INFINITY;
  #earlyPending = false;
  #ended: Ended | undefined;
  /** How far the time of a restored state is ahead of system time: a clock was set back, and time continues evenly. */
  #aheadMs = 0;
  #savedMeta = "";

  constructor(options: ResolvedOptions<V, A, R>, outbox: Outbox<V, R>) {
    this.options = options;
    this.outbox = outbox;
    this.timestamps = new Timestamps(options.clock, options.upstream !== undefined);
  }

  /** Adds events of a batch from an index on; returns where to continue: after the last, or after one that failed. */
  protected abstract addFrom(batch: KeyedBatch<V>, from: number): number;
  /** Emits windows that are due, in order, while the page has room. */
  protected abstract emitDue(): void;
  /** Emits what late events of this batch changed. */
  protected abstract emitRevisions(): void;
  /** Marks all keys of open windows that changed since their last row, for `emitEarly`. */
  protected abstract touchOpen(): void;
  /** Emits open windows that changed, while the page has room; returns whether that was all of them. */
  protected abstract emitEarly(): boolean;
  /** Frees windows that no late event can reach any more. */
  protected abstract expire(): void;
  /** Whether a window that is due is still held. */
  protected abstract hasDue(): boolean;
  /** The watermark at which the next window is due, or the next kept one is freed; Infinity = none. */
  protected abstract nextTarget(): number;
  /** The watermark at which all windows are due; −Infinity = none. */
  protected abstract lastTarget(): number;
  protected abstract held(): HeldState;
  protected abstract snapshotWindows(): StateChange[];
  protected abstract restoreGroup(group: string, fields: Iterable<readonly [string, Json]>): void;

  process(batch: KeyedBatch<V>, now: number): WindowOutput<V, R> {
    requireColumns(batch);
    this.#begin(now);
    this.timestamps.begin(batch, this.now);
    for (let from = 0; from < batch.keys.length;) from = this.addFrom(batch, from);
    return this.#settle();
  }

  advance(now: number): WindowOutput<V, R> {
    this.#begin(now);
    this.#followUpstream();
    return this.#settle();
  }

  drained(t: number): WindowOutput<V, R> {
    const { idle, upstream } = this.options;
    if (upstream !== undefined) return this.advance(t);
    this.#begin(t);
    // The proof is valid for t, even if a later system time was seen since the probe was sent.
    if (this.timestamps.eventTime && idle === "drained") {
      this.watermark.drain(t);
      this.#beginByNews(t);
    }
    return this.#settle();
  }

  skipped(ms: number): void {
    this.watermark.at += ms;
  }

  finish(cause: "end" | "drain"): WindowOutput<V, R> {
    this.outbox.begin();
    const from = this.watermark.value;
    const to = this.lastTarget();
    if (to > from) {
      this.#ended = { from, to, cause };
      this.watermark.raiseTo(to);
    }
    return this.#settle();
  }

  early(now: number): WindowOutput<V, R> {
    this.#begin(now);
    if (this.options.fold.match === undefined) {
      this.touchOpen();
      this.earlyAt = Number.POSITIVE_INFINITY;
      this.#earlyPending = true;
    }
    return this.#settle();
  }

  abstract openWindows(limit: number): readonly HeldWindow[];
  abstract finalUpTo(): number;

  /** The watermark at which `finalUpTo` reaches this value, if no window is open. */
  protected watermarkFor(finalUpTo: number): number {
    return finalUpTo;
  }

  get pending(): boolean {
    return this.#earlyPending || this.hasDue();
  }

  nextPage(): WindowOutput<V, R> {
    this.outbox.begin();
    return this.#settle();
  }

  nextWake(now: number): Wake | undefined {
    if (this.pending) return { at: now, needs: "time" };
    const due = this.#wakeForDue();
    const earlyAt = this.earlyAt - this.#aheadMs;
    if (earlyAt < (due?.at ?? Number.POSITIVE_INFINITY)) return { at: earlyAt, needs: "time" };
    return due;
  }

  wakeFor(finalUpTo: number): Wake | undefined {
    return this.#wakeAt(this.watermarkFor(finalUpTo));
  }

  snapshot(): readonly StateChange[] {
    const changes = this.snapshotWindows();
    const meta = this.#metaToJson();
    const text = JSON.stringify(meta);
    if (text !== this.#savedMeta) {
      this.#savedMeta = text;
      changes.push({ group: ENGINE, put: [["state", meta]] });
    }
    return changes;
  }

  restore(state: Iterable<StateGroup>, now: number): void {
    this.now = now;
    for (const [group, fields] of state) {
      if (group === ENGINE) this.#restoreMeta(fields);
      else this.restoreGroup(group, fields);
    }
    this.#catchUp(now);
    this.#followSystemTime();
    this.restored();
    if (this.options.earlyEveryMs !== Number.POSITIVE_INFINITY) this.touchOpen();
  }

  stats(): WindowStats {
    const { counted, late, refused, skipped, overflowed, overflowedValues, revisions } = this.outbox;
    const { windows, cells } = this.held();
    const approximateBytes = windows * 500 + cells * 100 + this.options.room.taken;
    const watermark = this.watermark.value;
    return {
      watermark,
      windows,
      cells,
      counted,
      late,
      refused,
      skipped,
      overflowed,
      overflowedValues,
      revisions,
      approximateBytes,
    };
  }

  get overflow(): WindowOverflow {
    return this.outbox;
  }

  watermarkOf(): number {
    return this.watermark.value;
  }

  explain(): string {
    return explain(this.options);
  }

  /** After the last group of a restored state. */
  protected restored(): void {
    // A kind of window may need nothing here.
  }

  /** The cause of a window that became due; the argument tests whether a watermark makes it due. */
  protected causeOf(isDueAt: (watermark: number) => boolean): WindowCause {
    const ended = this.#ended;
    return ended !== undefined && !isDueAt(ended.from) && isDueAt(ended.to) ? ended.cause : "watermark";
  }

  /**
   * Skips an event on which a function threw.
   *
   * @param changed whether the event is in a window already
   * @throws WindowEventError
   */
  protected skip({ keys, values }: KeyedBatch<V>, index: number, error: unknown, changed: boolean): void {
    const allowed = this.options.onError === "skip" && !changed;
    this.outbox.skip(at(keys, index), at(values, index), error, allowed);
  }

  /** Within a batch: emits windows that are due. An error here is not an error of the current event. */
  protected closeDue(): void {
    try {
      this.emitDue();
    } catch (error) {
      throw new PartlyTaken(error);
    }
  }

  /** Records a change for the early results. */
  protected noteEarly(): void {
    if (this.earlyAt === Number.POSITIVE_INFINITY) this.earlyAt = this.now + this.options.earlyEveryMs;
  }

  #begin(systemTime: number): void {
    this.now = Math.max(this.now, systemTime + this.#aheadMs);
    this.outbox.begin();
    this.#followSystemTime();
    this.emitDue();
  }

  /** A restored watermark that follows system time is never above it, unless a clock was set back in between. */
  #catchUp(now: number): void {
    if (this.options.clock.kind !== "system") return;
    const { value } = this.watermark;
    const ended = this.#ended;
    // An end of the input closed windows early: that is no reason to stay ahead of system time.
    const reached = ended?.to === value ? ended.from : value;
    if (reached > now) this.#aheadMs = reached - now;
    this.now = now + this.#aheadMs;
  }

  /** On the system clock the watermark is system time, except while windows wait until every producer has been heard. */
  #followSystemTime(): void {
    const { clock, settledUpTo } = this.options;
    if (clock.kind !== "system") return;
    this.watermark.raiseTo(clock.watermarkAt(this.now, settledUpTo));
    // An end of the input closed windows early: that makes no event late.
    if (this.watermark.value > this.now) this.now = this.watermark.value;
  }

  /** All results that the windows before emit up to their watermark have arrived as events. */
  #followUpstream(): void {
    const { clock, upstream } = this.options;
    if (upstream === undefined || clock.kind !== "event") return;
    this.watermark.raiseTo(upstream.finalUpTo() - clock.waitMs);
  }

  /**
   * Before the first event only the producers' messages show how far their clocks are: a partition without events, whose
   * producers are heard, does not hold the others back. Requires that events use the messages' own times.
   */
  #beginByNews(t: number): void {
    const { clock, settledUpTo } = this.options;
    const ownTime = clock.kind === "event" && clock.timestamp !== undefined;
    if (this.watermark.base !== Number.NEGATIVE_INFINITY || ownTime) return;
    const mark = settledUpTo() - this.timestamps.waitMs;
    // Infinite if no producer is waited for, as before the first one is heard.
    if (Number.isFinite(mark) && mark > this.watermark.value) this.watermark.rise(mark, t);
  }

  #settle(): WindowOutput<V, R> {
    this.emitDue();
    this.emitRevisions();
    if (this.now >= this.earlyAt) {
      this.earlyAt = Number.POSITIVE_INFINITY;
      this.#earlyPending = true;
    }
    if (this.#earlyPending) this.#earlyPending = !this.emitEarly();
    this.expire();
    return this.outbox.take();
  }

  #wakeForDue(): Wake | undefined {
    return this.#wakeAt(this.nextTarget());
  }

  /** When the watermark can reach `target` by system time alone. */
  #wakeAt(target: number): Wake | undefined {
    if (target === Number.POSITIVE_INFINITY) return undefined;
    const { clock, settledUpTo, upstream } = this.options;
    if (upstream !== undefined && clock.kind === "event") {
      const needed = target + clock.waitMs;
      if (needed === Number.POSITIVE_INFINITY) return undefined;
      if (upstream.finalUpTo() < needed) return upstream.wakeFor(needed);
      return { at: this.now - this.#aheadMs, needs: "time" };
    }
    if (clock.kind === "system") {
      return { at: clock.wakeFor(target, this.now, settledUpTo()) - this.#aheadMs, needs: "time" };
    }
    if (this.options.idle === "never" || this.watermark.base === Number.NEGATIVE_INFINITY) return undefined;
    return { at: this.watermark.drainInstantFor(target), needs: "drained" };
  }

  #metaToJson(): Json {
    const { value, base, at } = this.watermark;
    const ended = this.#ended;
    // Stored as a duration: the time until the state is restored must not count.
    const elapsed = base === Number.NEGATIVE_INFINITY ? 0 : this.now - at;
    return [
      specOf(this.options),
      [timeToJson(value), timeToJson(base), elapsed],
      this.outbox.snapshot(),
      ended === undefined ? null : [timeToJson(ended.from), ended.to, ended.cause],
      this.engineToJson(),
    ];
  }

  #restoreMeta(fields: Iterable<readonly [string, Json]>): void {
    for (const [, meta] of fields) {
      const [spec, watermark, counters, ended, own] = listFrom(meta);
      requireSameSpec(stringFrom(spec), specOf(this.options));
      const [value, base, elapsed] = listFrom(watermark);
      this.watermark.value = timeFromJson(value);
      this.watermark.base = timeFromJson(base);
      this.watermark.at = this.now - numberFrom(elapsed);
      this.outbox.restore(listFrom(counters).map(numberFrom));
      if (ended !== null) {
        const [from, to, cause] = listFrom(ended);
        this.#ended = {
          from: timeFromJson(from),
          to: numberFrom(to),
          cause: cause === "drain" ? "drain" : "end",
        };
      }
      this.engineFromJson(own);
      this.#savedMeta = JSON.stringify(meta);
    }
  }

  /** Further state of a kind of window. */
  protected engineToJson(): Json {
    return null;
  }

  protected engineFromJson(_json: Json | undefined): void {
    // By default there is no further state to restore.
  }
}
