import { at } from "../at.ts";
import { requireColumns } from "../window-engine.ts";
import { probe } from "../fold-state.ts";
import { requireJsonBytes } from "../folds/fold-values.ts";
import { listFrom, numberFrom, stringFrom, timeFromJson, timeToJson } from "../fields.ts";
import { lateEvent } from "../late-events.ts";
import { latest, type HeldWindow } from "../open-windows.ts";
import type { Outbox } from "../outbox.ts";
import { requireSameSpec, specOf } from "../state-spec.ts";
import { Timestamps } from "../timestamps.ts";
import { WindowOptionsError } from "../errors.ts";
import type { PerKeyOptions } from "../window-engine-options.ts";
import type {
  KeyedBatch,
  StateChange,
  StateGroup,
  Wake,
  WindowEngine,
  WindowOverflow,
  WindowStats,
} from "../window-engine.ts";
import type { WindowOutput } from "../window-output.ts";
import { explainPerKey } from "../explain.ts";
import type { KeyState } from "./key-state.ts";
import { KeyTime } from "./key-time.ts";
import { KeyWindows } from "./key-windows.ts";
import { PerKeyTable } from "./per-key-table.ts";

const ENGINE = "engine";

/**
 * The time model `perKey` (as in Bytewax): each key has its own clock, which advances with system time. It is for
 * devices whose clocks and delays differ; an event before its key's watermark is late even if its window is open.
 *
 * A key's clock is kept after its last window has closed, so that no window opens a second time. There are at most
 * `maxKeysPerWindow` keys with windows and clocks without: above it the clock whose windows ended first is forgotten,
 * and from then on an event of a key without a clock is late if it is before the end of those windows.
 */
export class PerKeyEngine<V, A, R> implements WindowEngine<V, R> {
  readonly #options: PerKeyOptions<V, A, R>;
  readonly #outbox: Outbox<V, R>;
  readonly #timestamps: Timestamps<V>;
  readonly #table: PerKeyTable<V, A, R>;
  readonly #windows: KeyWindows<V, A, R>;
  readonly #touched = new Set<KeyState<V, A>>();
  /** Keys found without windows in this call. */
  readonly #idle = new Set<KeyState<V, A>>();
  readonly #time: KeyTime;
  #earlyAt: number = Number.POSITIVE_INFINITY;
  #earlyPending = false;
  /** After the end of the input all time is over, until another event comes. */
  #over = false;

  /** @throws WindowOptionsError */
  constructor(options: PerKeyOptions<V, A, R>, outbox: Outbox<V, R>) {
    if (options.allowedLatenessMs > 0) {
      throw new WindowOptionsError(
        'allowedLateness needs timeModel "stream": in "perKey" an event before its key\'s watermark is late. ' +
          "Use a longer wait, or timeModel stream.",
      );
    }
    this.#options = options;
    this.#time = new KeyTime(options.clock, options.settledUpTo);
    this.#outbox = outbox;
    this.#timestamps = new Timestamps(options.clock);
    this.#table = new PerKeyTable(options);
    this.#windows = new KeyWindows(options, this.#outbox);
  }

  process(batch: KeyedBatch<V>, now: number): WindowOutput<V, R> {
    requireColumns(batch);
    this.#begin(now);
    this.#over = false;
    this.#timestamps.begin(batch, this.#time.now);
    const { keys, values } = batch;
    for (let i = 0; i < keys.length; i++) this.#addOne(at(keys, i), at(values, i), i);
    return this.#settle();
  }

  advance(now: number): WindowOutput<V, R> {
    this.#begin(now);
    return this.#settle();
  }

  drained(t: number): WindowOutput<V, R> {
    return this.advance(t);
  }

  skipped(ms: number): void {
    this.#time.skipped(ms);
  }

  finish(cause: "end" | "drain"): WindowOutput<V, R> {
    this.#outbox.begin();
    this.#over = true;
    for (const state of this.#table.values()) {
      this.#windows.finish(state, this.#time.value, cause);
      this.#table.changed(state.key);
      this.#schedule(state);
    }
    return this.#settle();
  }

  early(now: number): WindowOutput<V, R> {
    this.#begin(now);
    if (this.#options.fold.match === undefined) {
      for (const state of this.#table.values()) if (isTouched(state)) this.#touched.add(state);
      this.#earlyAt = Number.POSITIVE_INFINITY;
      this.#earlyPending = true;
    }
    return this.#settle();
  }

  /** With an event clock there is no bound: a new key may begin at any time. */
  finalUpTo(): number {
    if (this.#timestamps.eventTime) return Number.NEGATIVE_INFINITY;
    const { windower } = this.#options;
    const time = this.#time.value;
    const { pending } = this;
    const reach = pending ? Math.min(time, this.#table.due.peek()?.due ?? time) - 1 : time;
    return windower.kind === "session" ? reach - windower.gapMs - 1 : reach;
  }

  get pending(): boolean {
    return this.#earlyPending || this.#nextDue() <= this.#time.value;
  }

  nextPage(): WindowOutput<V, R> {
    this.#outbox.begin();
    return this.#settle();
  }

  nextWake(now: number): Wake | undefined {
    if (this.pending) return { at: now, needs: "time" };
    const at = Math.min(this.#earlyAt - this.#time.aheadMs, this.#time.wakeFor(this.#nextDue()));
    return at === Number.POSITIVE_INFINITY ? undefined : { at, needs: "time" };
  }

  wakeFor(finalUpTo: number): Wake | undefined {
    if (this.#timestamps.eventTime) return undefined;
    const { windower } = this.#options;
    const reach = windower.kind === "session" ? finalUpTo + windower.gapMs + 1 : finalUpTo;
    return { at: this.#time.wakeFor(reach), needs: "time" };
  }

  snapshot(): readonly StateChange[] {
    const time = timeToJson(this.#time.value);
    const meta = [specOf(this.#options), time, this.#outbox.snapshot(), this.#table.forgottenToJson()];
    return [...this.#table.snapshot(), { group: ENGINE, put: [["state", meta]] }];
  }

  restore(state: Iterable<StateGroup>, now: number): void {
    this.#time.resume(Number.NEGATIVE_INFINITY, now);
    const groups: StateGroup[] = [];
    for (const [group, fields] of state) {
      if (group !== ENGINE) {
        groups.push([group, fields]);
        continue;
      }
      for (const [, meta] of fields) {
        const [spec, time, counters, forgotten] = listFrom(meta);
        requireSameSpec(stringFrom(spec), specOf(this.#options));
        this.#time.resume(timeFromJson(time), now);
        this.#table.restoreForgotten(forgotten);
        this.#outbox.restore(listFrom(counters).map(numberFrom));
      }
    }
    this.#table.restore(groups);
    for (const key of this.#table.values()) {
      this.#schedule(key);
      if (isTouched(key)) this.#touch(key);
    }
  }

  stats(): WindowStats {
    const { counted, late, refused, skipped, overflowed, overflowedValues, revisions } = this.#outbox;
    let cells = 0;
    let watermark = Number.POSITIVE_INFINITY;
    for (const state of this.#table.values()) {
      cells += state.cells.size;
      watermark = Math.min(watermark, this.watermarkOf(state.key));
    }
    if (watermark === Number.POSITIVE_INFINITY && !this.#over) watermark = Number.NEGATIVE_INFINITY;
    const approximateBytes = this.#table.size * 500 + cells * 150 + this.#options.room.taken;
    return {
      watermark,
      windows: cells,
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

  openWindows(limit: number): readonly HeldWindow[] {
    const { windower } = this.#options;
    if (windower.kind === "session") return latest(this.#openSessions(), limit, ({ window }) => window.close);
    const keys = new Map<number, number>();
    for (const { cells } of this.#table.values())
      for (const id of cells.keys()) keys.set(id, (keys.get(id) ?? 0) + 1);
    return latest(keys, limit, ([id]) => windower.closeOf(id)).map(([id, count]) => ({
      window: windower.windowOf(id),
      key: undefined,
      keys: count,
    }));
  }

  *#openSessions(): Generator<HeldWindow> {
    for (const { key, sessions } of this.#table.values()) {
      for (const window of sessions?.windows() ?? []) yield { window, key, keys: 1 };
    }
  }

  get overflow(): WindowOverflow {
    return this.#outbox;
  }

  watermarkOf(key: string): number {
    if (this.#over) return Number.POSITIVE_INFINITY;
    if (!this.#timestamps.eventTime) return this.#time.value;
    return this.#table.watermarkOf(key, this.#time.value);
  }

  explain(): string {
    return explainPerKey(this.#options);
  }

  #begin(now: number): void {
    this.#time.advance(now);
    this.#outbox.begin();
  }

  #nextDue(): number {
    return this.#table.due.peek()?.due ?? Number.POSITIVE_INFINITY;
  }

  #addOne(key: string, value: V, index: number): void {
    const { tried, onError, ordered } = this.#options;
    let allowed = onError === "skip";
    try {
      const timestamp = this.#timestamps.at(index);
      if (Number.isNaN(timestamp)) this.#outbox.addRefused(this.#timestamps.refusal(key, index));
      else {
        // An event that the fold does not accept is found before it changes anything, and before it waits.
        if (allowed || ordered) probe(tried, value, timestamp);
        const bytes = ordered ? this.#bytesToWait(value, timestamp) : 0;
        allowed = false;
        this.#add(key, value, timestamp, bytes);
      }
    } catch (error) {
      this.#outbox.skip(key, value, error, allowed);
    }
  }

  /** Bytes of an event's JSON, if it may have to wait; else 0. @throws FoldValueError if it cannot be stored */
  #bytesToWait(value: V, timestamp: number): number {
    const mayWait = this.#timestamps.eventTime || timestamp > this.#time.value;
    return mayWait ? requireJsonBytes("ordered", this.#options.valueCodec.snapshot(value)) : 0;
  }

  #add(given: string, value: V, eventAt: number, bytes: number): void {
    const { eventTime, waitMs } = this.#timestamps;
    const time = this.#time.value;
    const key = this.#table.has(given) ? given : this.#admit(given);
    const watermark = this.#table.watermarkOf(key, time);
    // On the system clock no event is late, even if an end of the input closed windows early.
    const timestamp = eventTime ? eventAt : Math.max(eventAt, watermark);
    if (timestamp < watermark) {
      const event = { key: given, value, timestamp, watermark };
      this.#outbox.addLate(lateEvent(this.#options.windower, event));
      return;
    }
    const state = this.#table.take(key);
    const mark = timestamp - waitMs;
    if (mark > watermark) state.clock.rise(mark, time);
    if (key !== given) this.#outbox.overflowed++;
    this.#outbox.counted++;
    this.#windows.add(state, value, timestamp, state.clock.watermark(time), bytes);
    this.#touch(state);
    this.#run(state);
  }

  /** Processes everything that a key's watermark allows, while the page has room. */
  #run(state: KeyState<V, A>): void {
    this.#windows.advance(state, state.clock.watermark(this.#time.value));
    this.#table.changed(state.key);
    if (state.idle) this.#idle.add(state);
    this.#schedule(state);
  }

  /** Keeps only the clocks of keys without windows; at the end of a call, since a next event may open another window. */
  #restIdle(): void {
    const time = this.#time.value;
    for (const state of this.#idle) {
      if (!state.idle) continue;
      this.#touched.delete(state);
      // On the system clock no event is before it, so closed windows stay closed.
      const isOver = !this.#timestamps.eventTime && state.sessions === undefined && state.clock.floor <= time;
      if (isOver) this.#table.drop(state);
      else this.#table.rest(state);
    }
    this.#idle.clear();
  }

  #schedule(state: KeyState<V, A>): void {
    const time = this.#time.value;
    const instant = state.clock.instantFor(this.#windows.nextTarget(state));
    const reached = this.#windows.isReached(state, state.clock.watermark(time));
    this.#table.schedule(state, reached ? Math.min(time, instant) : instant);
  }

  #settle(): WindowOutput<V, R> {
    const { due } = this.#table;
    for (let state = due.peek(); state !== undefined && state.due <= this.#time.value; state = due.peek()) {
      if (this.#outbox.room <= 0) break;
      this.#run(state);
    }
    this.#restIdle();
    if (this.#time.now >= this.#earlyAt) {
      this.#earlyAt = Number.POSITIVE_INFINITY;
      this.#earlyPending = true;
    }
    if (this.#earlyPending) this.#earlyPending = !this.#emitEarly();
    return this.#outbox.take();
  }

  #touch(state: KeyState<V, A>): void {
    if (this.#options.earlyEveryMs === Number.POSITIVE_INFINITY) return;
    this.#touched.add(state);
    if (this.#earlyAt === Number.POSITIVE_INFINITY)
      this.#earlyAt = this.#time.now + this.#options.earlyEveryMs;
  }

  #emitEarly(): boolean {
    for (const state of this.#touched) {
      const done = this.#windows.emitEarly(state);
      this.#table.changed(state.key);
      if (!done) return false;
      this.#touched.delete(state);
    }
    return true;
  }

  /** The key itself if there is room for it, if necessary after a resting key is forgotten. */
  #admit(key: string): string {
    const { overflowKey } = this.#options;
    const maxKeys = Math.min(this.#options.maxKeysPerWindow, this.#options.maxKeys);
    if (key === overflowKey) return key;
    const taken = (): number => (this.#table.has(overflowKey) ? this.#table.size - 1 : this.#table.size);
    while (taken() >= maxKeys) {
      if (this.#table.forgetOne()) continue;
      if (this.#idle.size === 0) return overflowKey;
      this.#restIdle();
    }
    return key;
  }
}

/** Whether anything changed since its last row. */
function isTouched<V, A>({ cells }: KeyState<V, A>): boolean {
  for (const { touched } of cells.values()) if (touched) return true;
  return false;
}
