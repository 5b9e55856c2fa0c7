import { at } from "../at.ts";
import { requireColumns } from "../batch-check.ts";
import { explain } from "../explain.ts";
import { probe } from "../fold-state.ts";
import { listFrom, numberFrom, stringFrom, timeFromJson, timeToJson } from "../fields.ts";
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
  WindowStats,
} from "../window-engine.ts";
import type { WindowOutput } from "../window-output.ts";
import { NO_IDS, NO_SESSION_ID, type Window } from "../window.ts";
import type { KeyState } from "./key-state.ts";
import { KeyWindows } from "./key-windows.ts";
import { PerKeyTable } from "./per-key-table.ts";

const ENGINE = "engine";

/**
 * The time model `perKey`: each key has a clock of its own, which goes on with system time. A key is held while
 * it has windows or waiting events; with sessions for ever, since their ordinals go on.
 */
export class PerKeyEngine<V, A, R> implements WindowEngine<V, R> {
  readonly #options: ResolvedOptions<V, A, R>;
  readonly #outbox: Outbox<V, R>;
  readonly #timestamps: Timestamps<V>;
  readonly #table: PerKeyTable<V, A, R>;
  readonly #windows: KeyWindows<V, A, R>;
  readonly #touched = new Set<KeyState<V, A>>();
  /** Keys found without windows in this call. */
  readonly #idle = new Set<KeyState<V, A>>();
  #now: number = Number.NEGATIVE_INFINITY;
  #earlyAt: number = Number.POSITIVE_INFINITY;
  #earlyPending = false;
  /** After the end of input all time is over, until another event comes. */
  #over = false;

  constructor(options: ResolvedOptions<V, A, R>, outbox: Outbox<V, R>) {
    this.#options = options;
    this.#outbox = outbox;
    this.#timestamps = new Timestamps(options.clock);
    this.#table = new PerKeyTable(options);
    this.#windows = new KeyWindows(options, this.#outbox);
  }

  process(batch: KeyedBatch<V>, now: number): WindowOutput<V, R> {
    requireColumns(batch);
    this.#begin(now);
    this.#over = false;
    this.#timestamps.begin(batch, this.#now);
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

  finish(cause: "end" | "drain"): WindowOutput<V, R> {
    this.#outbox.begin();
    this.#over = true;
    for (const state of this.#table.values()) {
      this.#windows.finish(state, this.#now, cause);
      this.#table.changed(state);
      this.#schedule(state);
    }
    return this.#settle();
  }

  get pending(): boolean {
    return this.#earlyPending || (this.#table.due.peek()?.due ?? Number.POSITIVE_INFINITY) <= this.#now;
  }

  nextPage(): WindowOutput<V, R> {
    this.#outbox.begin();
    return this.#settle();
  }

  nextWake(now: number): Wake | undefined {
    if (this.pending) return { at: now, needs: "time" };
    const at = Math.min(this.#earlyAt, this.#table.due.peek()?.due ?? Number.POSITIVE_INFINITY);
    return at === Number.POSITIVE_INFINITY ? undefined : { at, needs: "time" };
  }

  snapshot(): readonly StateChange[] {
    const meta = [specOf(this.#options), timeToJson(this.#now), this.#outbox.snapshot()];
    return [...this.#table.snapshot(), { group: ENGINE, put: [["state", meta]] }];
  }

  restore(state: Iterable<StateGroup>, now: number): void {
    this.#now = now;
    const groups: StateGroup[] = [];
    for (const [group, fields] of state) {
      if (group !== ENGINE) {
        groups.push([group, fields]);
        continue;
      }
      for (const [, meta] of fields) {
        const [spec, saved, counters] = listFrom(meta);
        requireSameSpec(stringFrom(spec), specOf(this.#options));
        this.#now = Math.max(now, timeFromJson(saved));
        this.#outbox.restore(listFrom(counters).map(numberFrom));
      }
    }
    this.#table.restore(groups);
    for (const key of this.#table.values()) {
      this.#schedule(key);
      if ([...key.cells.values()].some(({ touched }) => touched)) this.#touch(key);
    }
  }

  stats(): WindowStats {
    const { counted, late, refused, skipped, overflowed, overflowedValues, revisions } = this.#outbox;
    let cells = 0;
    let waiting = 0;
    let watermark = Number.POSITIVE_INFINITY;
    for (const state of this.#table.values()) {
      cells += state.cells.size;
      waiting += state.queue.size;
      watermark = Math.min(watermark, this.watermarkOf(state.key));
    }
    if (watermark === Number.POSITIVE_INFINITY && !this.#over) watermark = Number.NEGATIVE_INFINITY;
    const approximateBytes = this.#table.size * 500 + cells * 150 + waiting * 50;
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

  watermarkOf(key: string): number {
    if (this.#over) return Number.POSITIVE_INFINITY;
    if (!this.#timestamps.eventTime) return this.#now;
    return this.#table.get(key)?.watermark(this.#now) ?? Number.NEGATIVE_INFINITY;
  }

  explain(): string {
    return explain(this.#options);
  }

  #begin(now: number): void {
    if (now > this.#now) this.#now = now;
    this.#outbox.begin();
  }

  #addOne(key: string, value: V, index: number): void {
    const { fold, onError, ordered } = this.#options;
    let allowed = onError === "skip";
    try {
      const timestamp = this.#timestamps.at(index);
      if (Number.isNaN(timestamp)) this.#outbox.addRefused(this.#timestamps.refusal(key, index));
      else {
        // An event that the fold cannot take is found before it changes anything, and before it waits for its turn.
        if (allowed || ordered) probe(fold, value, timestamp);
        allowed = false;
        this.#add(key, value, timestamp);
      }
    } catch (error) {
      this.#outbox.skip(key, value, error, allowed);
    }
  }

  #add(given: string, value: V, timestamp: number): void {
    const now = this.#now;
    const state = this.#table.get(given) ?? this.#admit(given);
    const mark = timestamp - this.#timestamps.waitMs;
    if (mark > state.watermark(now)) state.rise(mark, now);
    const watermark = state.watermark(now);
    if (timestamp < watermark) {
      const windows = this.#windowsAt(timestamp);
      this.#outbox.addLate({ key: given, value, timestamp, watermark, windows });
    } else {
      this.#outbox.counted++;
      this.#windows.add(state, value, timestamp);
      this.#touch(state);
    }
    this.#run(state);
  }

  /** Brings about all that a key's watermark allows, as far as the page has room. */
  #run(state: KeyState<V, A>): void {
    this.#windows.advance(state, state.watermark(this.#now));
    this.#table.changed(state);
    if (isIdle(state)) this.#idle.add(state);
    this.#schedule(state);
  }

  /** Forgets keys without windows, their clocks too; not within a batch, which is judged by one clock. */
  #forgetIdle(): void {
    for (const state of this.#idle) {
      if (!isIdle(state)) continue;
      this.#touched.delete(state);
      this.#table.remove(state);
    }
    this.#idle.clear();
  }

  #schedule(state: KeyState<V, A>): void {
    const target = this.#windows.nextTarget(state);
    const reached = this.#windows.isReached(state, state.watermark(this.#now));
    this.#table.schedule(state, reached ? this.#now : state.instantFor(target));
  }

  #settle(): WindowOutput<V, R> {
    const { due } = this.#table;
    for (let state = due.peek(); state !== undefined && state.due <= this.#now; state = due.peek()) {
      if (this.#outbox.room <= 0) break;
      this.#run(state);
    }
    this.#forgetIdle();
    if (this.#now >= this.#earlyAt) {
      this.#earlyAt = Number.POSITIVE_INFINITY;
      this.#earlyPending = true;
    }
    if (this.#earlyPending) this.#earlyPending = !this.#emitEarly();
    return this.#outbox.take();
  }

  #touch(state: KeyState<V, A>): void {
    if (this.#options.earlyEveryMs === Number.POSITIVE_INFINITY) return;
    this.#touched.add(state);
    if (this.#earlyAt === Number.POSITIVE_INFINITY) this.#earlyAt = this.#now + this.#options.earlyEveryMs;
  }

  #emitEarly(): boolean {
    for (const state of this.#touched) {
      const done = this.#windows.emitEarly(state);
      this.#table.changed(state);
      if (!done) return false;
      this.#touched.delete(state);
    }
    return true;
  }

  #admit(key: string): KeyState<V, A> {
    const { maxKeysPerWindow, overflowKey } = this.#options;
    const overflow = this.#table.get(overflowKey);
    const taken = overflow === undefined ? this.#table.size : this.#table.size - 1;
    if (taken < maxKeysPerWindow || key === overflowKey) return this.#table.open(key);
    this.#outbox.overflowed++;
    return overflow ?? this.#table.open(overflowKey);
  }

  #windowsAt(timestamp: number): readonly Window[] {
    const { windower } = this.#options;
    if (windower.kind !== "session") return windower.windowsAt(timestamp);
    return [{ id: NO_SESSION_ID, open: timestamp, close: timestamp, mergedIds: NO_IDS }];
  }
}

/** Sessions keep their key, since their ordinals go on; the end of input keeps it, since its windows are over. */
function isIdle<V, A>({ cells, queue, sessions, ended }: KeyState<V, A>): boolean {
  return cells.size + queue.size === 0 && sessions === undefined && ended === undefined;
}
