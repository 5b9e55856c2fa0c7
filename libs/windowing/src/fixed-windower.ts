import { NO_IDS, type OrdinalWindow } from "./window.ts";

/**
 * Windows of one length that open every `offsetMs`. Window `id` is
 * `[alignToMs + id * offsetMs, alignToMs + id * offsetMs + lengthMs)`; ids below 0 are as good as any.
 */
export class FixedWindower {
  readonly kind: "tumbling" | "sliding";
  readonly lengthMs: number;
  readonly offsetMs: number;
  readonly alignToMs: number;

  constructor(kind: "tumbling" | "sliding", lengthMs: number, offsetMs: number, alignToMs: number) {
    this.kind = kind;
    this.lengthMs = lengthMs;
    this.offsetMs = offsetMs;
    this.alignToMs = alignToMs;
  }

  /** When the window opens (ms), inclusive. */
  openOf(id: number): number {
    return this.alignToMs + id * this.offsetMs;
  }

  /** When the window closes (ms), exclusive. */
  closeOf(id: number): number {
    return this.alignToMs + id * this.offsetMs + this.lengthMs;
  }

  /** The window of an id. */
  windowOf(id: number): OrdinalWindow {
    return { id, open: this.openOf(id), close: this.closeOf(id), mergedIds: NO_IDS };
  }

  /** The id of the last window that is open at `timestamp`. */
  lastIdAt(timestamp: number): number {
    return floorDivide(timestamp - this.alignToMs, this.offsetMs);
  }

  /** The id of the first window that is open at `timestamp`. */
  firstIdAt(timestamp: number): number {
    return floorDivide(timestamp - this.alignToMs - this.lengthMs, this.offsetMs) + 1;
  }

  /** Ids of the windows that hold `timestamp`, ascending. */
  idsAt(timestamp: number): readonly number[] {
    const ids: number[] = [];
    for (let id = this.firstIdAt(timestamp); id <= this.lastIdAt(timestamp); id++) ids.push(id);
    return ids;
  }

  /** The windows that hold `timestamp`, ascending. */
  windowsAt(timestamp: number): readonly OrdinalWindow[] {
    return this.idsAt(timestamp).map((id) => this.windowOf(id));
  }
}

/**
 * Exact for all timestamps of the `Date` range, fractions of a ms included: the quotient may round to the next
 * whole number, so the products decide. Never −0, which would be a second id 0.
 */
function floorDivide(dividend: number, divisor: number): number {
  const quotient = Math.floor(dividend / divisor);
  if (quotient * divisor > dividend) return quotient - 1;
  return ((quotient + 1) * divisor <= dividend ? quotient + 1 : quotient) + 0;
}
