import { OrdinalWindower } from "./ordinal-windower.ts";

/**
 * Windows of one length that open every `offsetMs`. Window `id` is
 * `[alignToMs + id * offsetMs, alignToMs + id * offsetMs + lengthMs)`.
 */
export class FixedWindower extends OrdinalWindower {
  readonly kind: "tumbling" | "sliding";
  readonly lengthMs: number;
  readonly offsetMs: number;
  readonly alignToMs: number;

  constructor(kind: "tumbling" | "sliding", lengthMs: number, offsetMs: number, alignToMs: number) {
    super();
    this.kind = kind;
    this.lengthMs = lengthMs;
    this.offsetMs = offsetMs;
    this.alignToMs = alignToMs;
  }

  override get description(): string {
    return (
      `${this.kind} length=${String(this.lengthMs)} offset=${String(this.offsetMs)} ` +
      `alignTo=${String(this.alignToMs)}`
    );
  }

  override get exclusive(): boolean {
    return this.kind === "tumbling";
  }

  override openOf(id: number): number {
    return this.alignToMs + id * this.offsetMs;
  }

  override closeOf(id: number): number {
    return this.alignToMs + id * this.offsetMs + this.lengthMs;
  }

  override lastIdAt(timestamp: number): number {
    return floorDivide(timestamp - this.alignToMs, this.offsetMs);
  }

  override firstIdAt(timestamp: number): number {
    return floorDivide(timestamp - this.alignToMs - this.lengthMs, this.offsetMs) + 1;
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
