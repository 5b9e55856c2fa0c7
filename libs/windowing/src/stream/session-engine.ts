import { at } from "../at.ts";
import { PartlyTaken } from "../errors.ts";
import { numberFrom } from "../fields.ts";
import { markOf, matchOf, probe, resultAt, withOverflow } from "../fold-state.ts";
import { isSessionOver, lateEvent } from "../late-events.ts";
import type { Json } from "../json.ts";
import { latest, type HeldWindow } from "../open-windows.ts";
import type { Outbox } from "../outbox.ts";
import type { SessionWindower } from "../windower.ts";
import type { ResolvedOptions } from "../window-engine-options.ts";
import type { KeyedBatch, StateChange, StateField } from "../window-engine.ts";
import type { WindowCause, WindowResult } from "../window-output.ts";
import { MAX_MERGED_IDS, NO_IDS } from "../window.ts";
import { SessionTable } from "./session-table.ts";
import type { Session } from "./session.ts";
import { StreamEngine, type HeldState } from "./stream-engine.ts";

/** Sessions in the time model `stream`. */
export class SessionEngine<V, A, R> extends StreamEngine<V, A, R> {
  readonly #gapMs: number;
  readonly #latenessMs: number;
  readonly #table: SessionTable<V, A, R>;
  /** Kept sessions that late events of this batch changed. */
  readonly #revised = new Set<Session<A>>();
  /** Sessions changed since the last early results. */
  readonly #touched = new Set<Session<A>>();
  /** Sessions whose early results wait for the next page, in reverse order. */
  #earlyQueue: Session<A>[] = [];

  constructor(options: ResolvedOptions<V, A, R>, outbox: Outbox<V, R>, { gapMs }: SessionWindower) {
    super(options, outbox);
    this.#gapMs = gapMs;
    this.#latenessMs = options.allowedLatenessMs;
    this.#table = new SessionTable(gapMs, options);
  }

  protected override addFrom(batch: KeyedBatch<V>, from: number): number {
    const { keys, values } = batch;
    const { timestamps, watermark, now } = this;
    let nextDue = this.#table.nextDue()?.due ?? Number.POSITIVE_INFINITY;
    let i = from;
    try {
      for (; i < keys.length; i++) {
        const timestamp = timestamps.at(i);
        const key = at(keys, i);
        const value = at(values, i);
        if (Number.isNaN(timestamp)) {
          this.outbox.addRefused(timestamps.refusal(key, i));
          continue;
        }
        const mark = timestamp - timestamps.waitMs;
        if (mark > watermark.value) {
          watermark.rise(mark, now);
          if (mark > nextDue) {
            this.closeDue();
            nextDue = this.#table.nextDue()?.due ?? Number.POSITIVE_INFINITY;
          }
        }
        const session = this.#add(key, value, timestamp);
        if (session === undefined) {
          this.outbox.addLate(
            lateEvent(this.options.windower, { key, value, timestamp, watermark: watermark.value }),
          );
        } else if (!session.kept && session.due < nextDue) nextDue = session.due;
      }
    } catch (error) {
      this.skip(batch, i++, error, false);
    }
    return i;
  }

  /** Adds an event to the session that it touches, or to a new one; returns the session, none if the event is late. */
  #add(key: string, value: V, timestamp: number): Session<A> | undefined {
    const touched = this.#addToTouched(key, value, timestamp);
    if (touched !== undefined) return touched;
    if (isSessionOver(timestamp, this.#gapMs, this.#latenessMs, this.watermark.value)) return undefined;
    const admitted = this.#admit(key);
    const overflow = admitted === key ? undefined : this.#addToTouched(admitted, value, timestamp);
    const session = overflow ?? this.#open(admitted, value, timestamp);
    if (admitted !== key) this.outbox.overflowed++;
    return session;
  }

  #open(key: string, value: V, timestamp: number): Session<A> {
    const { fold } = this.options;
    const accumulator = fold.add(fold.create(), value, timestamp);
    const session = this.#table.open(key, timestamp, accumulator);
    this.#added(session);
    return session;
  }

  /** Adds an event to the session of a key within its gap. There are at most two, which then merge. */
  #addToTouched(key: string, value: V, timestamp: number): Session<A> | undefined {
    const gap = this.#gapMs;
    const chain = this.#table.chainOf(key, this.watermark.value - gap - this.#latenessMs);
    const place = chain.placeReaching(timestamp - gap);
    const first = chain.startedBy(timestamp + gap, place);
    if (first === undefined) return undefined;
    return this.#addTo(first, chain.startedBy(timestamp + gap, place + 1), value, timestamp);
  }

  /** Adds an event to a session that it touches, and merges the session with another one if it touches both. */
  #addTo(first: Session<A>, second: Session<A> | undefined, value: V, timestamp: number): Session<A> {
    const { fold } = this.options;
    const session = second === undefined ? first : this.#join(first, second, value, timestamp);
    if (second === undefined) {
      this.#beforeChange(first);
      first.accumulator = fold.add(first.accumulator, value, timestamp);
    }
    if (timestamp < session.open) session.open = timestamp;
    if (timestamp > session.last) session.last = timestamp;
    this.#added(session);
    return session;
  }

  /** Merges two sessions because of an event that touches both, but only after the fold has accepted the event. */
  #join(first: Session<A>, second: Session<A>, value: V, timestamp: number): Session<A> {
    const { fold, tried } = this.options;
    probe(tried, value, timestamp);
    try {
      this.#beforeChange(first);
      this.#beforeChange(second);
      const session = this.#merge(first, second);
      session.accumulator = fold.add(session.accumulator, value, timestamp);
      return session;
    } catch (error) {
      throw new PartlyTaken(error);
    }
  }

  #merge(earlier: Session<A>, later: Session<A>): Session<A> {
    earlier.accumulator = this.options.fold.merge(earlier.accumulator, later.accumulator);
    earlier.last = Math.max(earlier.last, later.last);
    const shown = later.rows > 0 ? [later.id, ...later.mergedIds] : later.mergedIds;
    if (shown.length > 0) earlier.mergedIds = [...earlier.mergedIds, ...shown].slice(0, MAX_MERGED_IDS);
    earlier.merged += 1 + later.merged;
    const replaced = later.rows > 0 ? [later.id, ...later.replaces] : later.replaces;
    if (replaced.length > 0) earlier.replaces = [...earlier.replaces, ...replaced];
    this.#table.remove(later);
    this.#revised.delete(later);
    this.#touched.delete(later);
    return earlier;
  }

  /** A first result that waits for its page must not include this event; a later one must have the previous value. */
  #beforeChange(session: Session<A>): void {
    const { fold } = this.options;
    const waits = !session.kept && this.#isDue(session);
    if (waits) this.#closeAhead(session);
    if (session.rows > 0 && fold.match === undefined) session.sent ??= markOf(fold, session.accumulator);
  }

  /** Handles an event that has been added: its match or its late revision. */
  #added(session: Session<A>): void {
    const { fold, earlyEveryMs } = this.options;
    this.outbox.counted++;
    this.#table.place(session, this.watermark.value);
    this.#table.changed(session);
    if (fold.match !== undefined) this.#addMatch(session);
    else if (session.kept) this.#revised.add(session);
    else {
      this.#revised.delete(session);
      if (earlyEveryMs === Number.POSITIVE_INFINITY) return;
      this.#touched.add(session);
      this.noteEarly();
    }
  }

  #admit(key: string): string {
    const { maxKeysPerWindow, maxKeys, overflowKey } = this.options;
    if (this.#table.size >= maxKeys) return overflowKey;
    const { keys } = this.#table;
    if (keys < maxKeysPerWindow || key === overflowKey || this.#table.has(key)) return key;
    if (this.#table.has(overflowKey) && keys - 1 < maxKeysPerWindow) return key;
    return overflowKey;
  }

  #isDue(session: Session<A>, watermark: number = this.watermark.value): boolean {
    return watermark > session.last + this.#gapMs;
  }

  #close(session: Session<A>): void {
    if (this.options.fold.match === undefined) {
      this.#addRow(
        session,
        this.causeOf((watermark) => this.#isDue(session, watermark)),
      );
    }
    this.#touched.delete(session);
    this.#table.closed(session, this.watermark.value);
  }

  /** Emits within a batch. An error here is not an error of the current event. */
  #closeAhead(session: Session<A>): void {
    try {
      this.#close(session);
    } catch (error) {
      throw new PartlyTaken(error);
    }
  }

  #addMatch(session: Session<A>): void {
    const { fold, completeOf } = this.options;
    const { key, accumulator, rows, open, last } = session;
    const value = matchOf(fold, accumulator);
    if (value === undefined) return;
    const complete = completeOf(open, last);
    const window = session.window();
    const row: WindowResult<R> = { key, value, window, revision: rows, cause: "match", complete };
    this.outbox.addResult(withOverflow(fold, accumulator, row));
    session.rows++;
  }

  #addRow(session: Session<A>, cause: WindowCause): void {
    const { fold, completeOf } = this.options;
    const { key, accumulator, rows, sent, replaces } = session;
    const value = fold.result(accumulator);
    const complete = completeOf(session.open, session.last);
    let row: WindowResult<R> = { key, value, window: session.window(), revision: rows, cause, complete };
    if (rows > 0) row = { ...row, previous: resultAt(fold, accumulator, sent) };
    if (replaces.length > 0) row = { ...row, replaces };
    session.rows++;
    session.sent = undefined;
    session.replaces = NO_IDS;
    this.#table.changed(session);
    this.outbox.addResult(withOverflow(fold, accumulator, row));
  }

  protected override emitDue(): void {
    const paged = this.options.fold.match === undefined;
    while (this.outbox.room > 0) {
      const session = this.#table.nextDue();
      if (session === undefined || !this.#isDue(session)) return;
      if (paged) this.outbox.room--;
      this.#close(session);
    }
  }

  protected override emitRevisions(): void {
    if (this.#revised.size === 0) return;
    for (const session of [...this.#revised].sort(byTime)) this.#addRow(session, "late");
    this.#revised.clear();
  }

  protected override touchOpen(): void {
    for (const session of this.#table.values()) {
      if (session.kept || this.#isDue(session) || (session.rows > 0 && session.sent === undefined)) continue;
      this.#touched.add(session);
      this.noteEarly();
    }
  }

  protected override emitEarly(): boolean {
    if (this.#earlyQueue.length === 0) this.#earlyQueue = [...this.#touched].sort(byTime).reverse();
    while (this.outbox.room > 0) {
      const session = this.#earlyQueue.pop();
      if (session === undefined) return true;
      // A session that closed or merged since then has another row.
      if (!this.#touched.delete(session)) continue;
      this.outbox.room--;
      this.#addRow(session, "early");
    }
    return this.#earlyQueue.length === 0;
  }

  override openWindows(limit: number): readonly HeldWindow[] {
    return latest(this.#table.unclosed(), limit, ({ last }) => last).map((session) => ({
      window: session.window(),
      key: session.key,
      keys: 1,
    }));
  }

  /**
   * The next event may open a session that ends one gap before the watermark, so first results are final only before that.
   * They are also final only before the earliest open session; a session that is kept for late events has been emitted.
   */
  override finalUpTo(): number {
    const reach = Math.min(this.watermark.value, this.#table.nextDue()?.due ?? Number.POSITIVE_INFINITY);
    return reach - this.#gapMs - 1;
  }

  protected override watermarkFor(finalUpTo: number): number {
    return finalUpTo + this.#gapMs + 1;
  }

  protected override expire(): void {
    for (let session = this.#table.nextExpiry(); session !== undefined; session = this.#table.nextExpiry()) {
      if (this.watermark.value <= session.due) return;
      this.#table.remove(session);
    }
  }

  protected override hasDue(): boolean {
    const session = this.#table.nextDue();
    return session !== undefined && this.#isDue(session);
  }

  protected override nextTarget(): number {
    // A session is due when the watermark is past the gap: at the next whole ms.
    const due = this.#table.nextDue()?.due ?? Number.POSITIVE_INFINITY;
    return Math.min(due, this.#table.nextExpiry()?.due ?? Number.POSITIVE_INFINITY) + 1;
  }

  protected override lastTarget(): number {
    let last = Number.NEGATIVE_INFINITY;
    for (const session of this.#table.values()) if (!session.kept && session.last > last) last = session.last;
    return last + this.#gapMs + 1;
  }

  protected override held(): HeldState {
    return { windows: this.#table.size, cells: this.#table.size };
  }

  protected override snapshotWindows(): StateChange[] {
    return this.#table.snapshot();
  }

  protected override restoreGroup(group: string, fields: Iterable<StateField>): void {
    this.#table.restoreGroup(group, fields);
  }

  protected override restored(): void {
    this.#table.restored();
  }

  protected override engineToJson(): Json {
    return this.#table.serial;
  }

  protected override engineFromJson(json: Json | undefined): void {
    this.#table.serial = numberFrom(json);
  }
}

function byTime<A>(a: Session<A>, b: Session<A>): number {
  return a.last - b.last || a.order - b.order;
}
