import type { BuiltInWindower } from "../../src/index.ts";
import { SessionNames } from "./session-names.ts";
import type { OracleEvent } from "./stream-oracle.ts";

export interface PerKeyRow {
  readonly key: string;
  readonly id: number;
  readonly open: number;
  readonly close: number;
  readonly mergedIds: readonly number[];
  readonly cause: string;
  /** In order of their timestamps. */
  readonly value: readonly number[];
  readonly overflow: number | undefined;
}

/** An event that found no room, and the one that it is counted with. */
interface LeftOut {
  readonly event: OracleEvent;
  readonly beside: OracleEvent;
}

interface OracleKey {
  base: number;
  /** The instant of that, by the clock of the oracle. */
  at: number;
  /** Every event that is in a window still open. */
  events: OracleEvent[];
  leftOut: LeftOut[];
  readonly names: SessionNames;
}

export interface PerKeyOracleOptions {
  readonly windower: BuiltInWindower;
  /** Infinity = unbounded. */
  readonly waitMs: number;
  readonly ordered: boolean;
  /** Events of a key that may wait for the watermark, but for the first of its windows; read where `ordered`. */
  readonly maxWaiting?: number;
}

/**
 * The time model `perKey`, worked out the naive way: of each key it keeps the events of open windows, and works
 * out the windows again at every step.
 */
export class PerKeyOracle {
  late: OracleEvent[] = [];
  counted = 0;
  readonly #windower: BuiltInWindower;
  readonly #waitMs: number;
  readonly #ordered: boolean;
  readonly #maxWaiting: number;
  readonly #keys = new Map<string, OracleKey>();
  /** System time, and how much of it went by while nothing ran. */
  #now = 0;
  #stoppedMs = 0;

  constructor({ windower, waitMs, ordered, maxWaiting = Number.POSITIVE_INFINITY }: PerKeyOracleOptions) {
    this.#windower = windower;
    this.#waitMs = waitMs;
    this.#ordered = ordered;
    this.#maxWaiting = ordered ? maxWaiting : Number.POSITIVE_INFINITY;
  }

  process(events: readonly OracleEvent[], systemTime: number): PerKeyRow[] {
    this.#now = systemTime;
    const now = systemTime - this.#stoppedMs;
    for (const event of events) {
      const state = this.#keys.get(event.key) ?? {
        base: Number.NEGATIVE_INFINITY,
        at: 0,
        events: [],
        leftOut: [],
        names: new SessionNames(),
      };
      this.#keys.set(event.key, state);
      const mark = event.ts - this.#waitMs;
      if (mark > watermarkOf(state, now)) Object.assign(state, { base: mark, at: now });
      if (event.ts < watermarkOf(state, now)) {
        this.late.push(event);
        continue;
      }
      this.counted++;
      const beside = this.#besideWhereFull(state, event, watermarkOf(state, now));
      if (beside === undefined) {
        state.events.push(event);
        // In order, sessions never come to touch: they are named as they end.
        if (!this.#ordered && this.#windower.kind === "session")
          state.names.add(event.ts, this.#windower.gapMs);
      } else state.leftOut.push({ event, beside });
    }
    return this.advance(systemTime);
  }

  advance(systemTime: number): PerKeyRow[] {
    this.#now = systemTime;
    return [...this.#keys].flatMap(([key, state]) =>
      this.#close(key, state, watermarkOf(state, systemTime - this.#stoppedMs), "watermark"),
    );
  }

  /** The time in which nothing ran does not count. */
  restart(systemTime: number): void {
    this.#stoppedMs += systemTime - this.#now;
    this.#now = systemTime;
  }

  finish(): PerKeyRow[] {
    return [...this.#keys].flatMap(([key, state]) =>
      this.#close(key, state, Number.POSITIVE_INFINITY, "end"),
    );
  }

  /** A waiting event in the same windows, where too many wait: the last one before the event, or the first after it. */
  #besideWhereFull(state: OracleKey, event: OracleEvent, watermark: number): OracleEvent | undefined {
    const waiting = state.events.filter(({ ts }) => ts > watermark);
    if (event.ts <= watermark || waiting.length < this.#maxWaiting) return undefined;
    const windower = this.#windower;
    const alike = waiting.filter(({ ts }) =>
      windower.kind === "session"
        ? Math.abs(ts - event.ts) <= windower.gapMs
        : String(windower.idsAt(ts)) === String(windower.idsAt(event.ts)),
    );
    const before = alike.filter(({ ts }) => ts <= event.ts);
    const last = Math.max(...before.map(({ ts }) => ts));
    const first = Math.min(...alike.map(({ ts }) => ts));
    return before.findLast(({ ts }) => ts === last) ?? alike.find(({ ts }) => ts === first);
  }

  #close(key: string, state: OracleKey, watermark: number, cause: string): PerKeyRow[] {
    const windower = this.#windower;
    const rows: PerKeyRow[] = [];
    if (windower.kind === "session") {
      for (const { open, close, events } of sessionsOf(state.events, windower.gapMs)) {
        if (close + windower.gapMs >= watermark) continue;
        const leftOut = state.leftOut.filter(({ beside }) => events.includes(beside));
        const { id, mergedIds } = this.#ordered ? state.names.next() : state.names.take(open);
        rows.push({
          key,
          id,
          open,
          close,
          mergedIds,
          cause,
          value: valuesOf(events),
          overflow: leftOut.length || undefined,
        });
        state.events = state.events.filter((event) => !events.includes(event));
      }
      return rows;
    }
    const ids = new Set(state.events.flatMap(({ ts }) => windower.idsAt(ts)));
    for (const id of [...ids].sort((a, b) => a - b)) {
      const [open, close] = [windower.openOf(id), windower.closeOf(id)];
      const before = this.#shown.get(key) ?? Number.NEGATIVE_INFINITY;
      if (close > watermark || close <= before) continue;
      const events = state.events.filter(({ ts }) => open <= ts && ts < close);
      const leftOut = state.leftOut.filter(({ event: { ts } }) => open <= ts && ts < close);
      const overflow = leftOut.length || undefined;
      rows.push({ key, id, open, close, mergedIds: [], cause, value: valuesOf(events), overflow });
    }
    this.#shown.set(key, watermark);
    state.events = state.events.filter(({ ts }) => windower.closeOf(windower.lastIdAt(ts)) > watermark);
    return rows;
  }

  /** The watermark up to which a key's windows are out. */
  readonly #shown = new Map<string, number>();
}

function watermarkOf({ base, at }: OracleKey, now: number): number {
  return base + (now - at);
}

/** By timestamp, equal ones as they came. */
function valuesOf(events: readonly OracleEvent[]): readonly number[] {
  return [...events].sort((a, b) => a.ts - b.ts).map(({ value }) => value);
}

function sessionsOf(
  events: readonly OracleEvent[],
  gapMs: number,
): { open: number; close: number; events: OracleEvent[] }[] {
  const sessions: { open: number; close: number; events: OracleEvent[] }[] = [];
  for (const event of [...events].sort((a, b) => a.ts - b.ts)) {
    const last = sessions.at(-1);
    if (last === undefined || event.ts - last.close > gapMs) {
      sessions.push({ open: event.ts, close: event.ts, events: [event] });
    } else {
      last.close = event.ts;
      last.events.push(event);
    }
  }
  return sessions;
}
