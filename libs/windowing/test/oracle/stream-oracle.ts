import type { SessionWindower, Windower, WindowId } from "../../src/index.ts";

/** An event as the oracles keep it: for good. */
export interface OracleEvent {
  readonly key: string;
  readonly ts: number;
  readonly value: number;
}

/** A row, in a form that can be compared. */
export interface OracleRow {
  readonly key: string;
  /** Undefined for sessions. */
  readonly id: WindowId | undefined;
  readonly open: number;
  readonly close: number;
  readonly revision: number;
  readonly cause: string;
  readonly value: unknown;
  readonly previous: unknown;
  readonly overflow: number | undefined;
}

/** What the values of a window's events come to, and how many of them a bound leaves out. */
export interface OracleFold {
  readonly result: (values: readonly number[]) => unknown;
  readonly overflow: (values: readonly number[]) => number;
}

export interface OracleOptions {
  readonly windower: Windower;
  /** Infinity = unbounded. */
  readonly waitMs: number;
  readonly idle: "drained" | "never";
  readonly allowedLateness: number;
  readonly ordered: boolean;
  readonly fold: OracleFold;
  /** Whether the fold throws on a value. */
  readonly isBad: (value: number) => boolean;
}

/** A window that is known before its events are. */
interface OracleWindow {
  readonly id: WindowId;
  readonly open: number;
  readonly close: number;
}

/** The events of a window. Its value is computed again at each request. */
interface Group {
  readonly key: string;
  /** Undefined for sessions. */
  readonly window: OracleWindow | undefined;
  events: OracleEvent[];
  /** The events of its last row; undefined = there was none. */
  shown: readonly OracleEvent[] | undefined;
  rows: number;
  /** Whether its closing row is out, or will never come. */
  closed: boolean;
}

/**
 * The time model `stream`, worked out the naive way: it keeps every event of every window and looks at all
 * windows whenever the watermark moves. Slow, and too simple to be wrong in the same way as the engine.
 */
export class StreamOracle {
  late: OracleEvent[] = [];
  skipped: OracleEvent[] = [];
  counted = 0;
  watermark: number = Number.NEGATIVE_INFINITY;
  readonly #options: OracleOptions;
  #base: number = Number.NEGATIVE_INFINITY;
  #at = 0;
  #now: number = Number.NEGATIVE_INFINITY;
  #groups: Group[] = [];
  #rows: OracleRow[] = [];

  constructor(options: OracleOptions) {
    this.#options = options;
  }

  process(events: readonly OracleEvent[], now: number): OracleRow[] {
    this.#now = now;
    const revised = new Set<Group>();
    for (const event of events) {
      const mark = event.ts - this.#options.waitMs;
      if (mark > this.watermark) {
        this.watermark = mark;
        this.#base = mark;
        this.#at = now;
        this.#closeDue("watermark");
      }
      if (this.#options.isBad(event.value)) {
        (this.#isLate(event) ? this.late : this.skipped).push(event);
        continue;
      }
      const groups = this.#groupsFor(event);
      for (const group of groups) {
        group.events.push(event);
        if (group.closed) revised.add(group);
        else revised.delete(group);
      }
      if (groups.length === 0) this.late.push(event);
      else this.counted++;
    }
    for (const group of revised) if (this.#groups.includes(group)) this.#show(group, "late");
    return this.#take();
  }

  advance(now: number): void {
    this.#now = now;
  }

  /** The time in which nothing ran does not count. */
  restart(now: number): void {
    this.#at += now - this.#now;
    this.#now = now;
  }

  drained(t: number): OracleRow[] {
    this.#now = t;
    if (this.#options.idle === "drained") {
      this.watermark = Math.max(this.watermark, this.#base + (t - this.#at));
      this.#closeDue("watermark");
    }
    return this.#take();
  }

  finish(): OracleRow[] {
    const open = this.#groups.filter(({ closed }) => !closed);
    const due = open.map((group) => this.#dueAt(group));
    this.watermark = Math.max(this.watermark, ...due);
    this.#closeDue("end");
    return this.#take();
  }

  #groupsFor(event: OracleEvent): Group[] {
    const { windower } = this.#options;
    if (windower.kind === "session") {
      const sessionWindows = this.#sessionFor(event, windower.gapMs);
      return sessionWindows === undefined ? [] : [sessionWindows];
    }
    return windowsAt(windower, event.ts)
      .filter(({ close }) => close + this.#options.allowedLateness > this.watermark)
      .map((window) => {
        const known = this.#groups.find((group) => group.key === event.key && group.window?.id === window.id);
        return known ?? this.#newGroup(event.key, window, window.close <= this.watermark);
      });
  }

  #isLate(event: OracleEvent): boolean {
    const { windower, allowedLateness } = this.#options;
    if (windower.kind !== "session") {
      const windows = windowsAt(windower, event.ts);
      return windows.every(({ close }) => close + allowedLateness <= this.watermark);
    }
    const { gapMs } = windower;
    return event.ts < this.#over(gapMs) && this.#touching(event, gapMs).length === 0;
  }

  /** Sessions that ended before this time are over. */
  #over(gapMs: number): number {
    return this.watermark - gapMs - this.#options.allowedLateness;
  }

  #touching(event: OracleEvent, gapMs: number): Group[] {
    return this.#groups.filter(({ key, events }) => {
      if (key !== event.key || lastOf(events) < this.#over(gapMs)) return false;
      return firstOf(events) - gapMs <= event.ts && event.ts <= lastOf(events) + gapMs;
    });
  }

  #sessionFor(event: OracleEvent, gapMs: number): Group | undefined {
    const touching = this.#touching(event, gapMs);
    const [first, ...others] = touching.sort((a, b) => firstOf(a.events) - firstOf(b.events));
    if (first === undefined) {
      if (event.ts < this.#over(gapMs)) return undefined;
      return this.#newGroup(event.key, undefined, event.ts + gapMs < this.watermark);
    }
    for (const other of others) first.events.push(...other.events);
    this.#groups = this.#groups.filter((group) => !others.includes(group));
    first.closed = Math.max(lastOf(first.events), event.ts) + gapMs < this.watermark;
    return first;
  }

  #newGroup(key: string, window: OracleWindow | undefined, closed: boolean): Group {
    const group = { key, window, events: [], shown: undefined, rows: 0, closed };
    this.#groups.push(group);
    return group;
  }

  #dueAt({ window, events }: Group): number {
    const { windower } = this.#options;
    const gapMs = windower.kind === "session" ? windower.gapMs : 0;
    return window?.close ?? lastOf(events) + gapMs + 1;
  }

  #closeDue(cause: string): void {
    const due = this.#groups.filter((group) => !group.closed && this.#dueAt(group) <= this.watermark);
    due.sort((a, b) => this.#dueAt(a) - this.#dueAt(b));
    for (const group of due) {
      group.closed = true;
      this.#show(group, cause);
    }
  }

  #show(group: Group, cause: string): void {
    const { fold } = this.#options;
    const { key, window, events, shown, rows } = group;
    this.#rows.push({
      key,
      id: window?.id,
      open: window?.open ?? firstOf(events),
      close: window?.close ?? lastOf(events),
      revision: rows,
      cause,
      value: fold.result(this.#valuesOf(events)),
      previous: shown === undefined ? undefined : fold.result(this.#valuesOf(shown)),
      overflow: fold.overflow(this.#valuesOf(events)) || undefined,
    });
    group.shown = [...events];
    group.rows++;
  }

  #valuesOf(events: readonly OracleEvent[]): readonly number[] {
    const inOrder = this.#options.ordered ? [...events].sort((a, b) => a.ts - b.ts) : events;
    return inOrder.map(({ value }) => value);
  }

  #take(): OracleRow[] {
    const rows = this.#rows;
    this.#rows = [];
    return rows;
  }
}

function windowsAt(windower: Exclude<Windower, SessionWindower>, timestamp: number): readonly OracleWindow[] {
  return windower.kind === "custom" ? windower.assign(timestamp) : windower.windowsAt(timestamp);
}

function firstOf(events: readonly OracleEvent[]): number {
  return Math.min(...events.map(({ ts }) => ts));
}

function lastOf(events: readonly OracleEvent[]): number {
  return Math.max(...events.map(({ ts }) => ts));
}
