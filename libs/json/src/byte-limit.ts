import { Buffer } from "node:buffer";
import { InvalidOptionError } from "./errors.ts";

/** A code unit of a string takes at most three bytes of UTF-8 (a surrogate pair takes four, two for each half). */
const MAX_BYTES_PER_CODE_UNIT = 3;

/** Whether `raw` takes more than `maxBytes` as UTF-8; a text's bytes are counted only where its length leaves doubt. */
export function exceedsBytes(raw: string | Uint8Array, maxBytes: number): boolean {
  if (typeof raw !== "string") return raw.byteLength > maxBytes;
  if (raw.length * MAX_BYTES_PER_CODE_UNIT <= maxBytes) return false;
  return raw.length > maxBytes || byteLength(raw) > maxBytes;
}

/** The bytes that `raw` takes as UTF-8. */
export function byteLength(raw: string | Uint8Array): number {
  return typeof raw === "string" ? Buffer.byteLength(raw) : raw.byteLength;
}

/** More than a string can hold, and small enough for the sums and array lengths that limits go into. */
const MAX_LIMIT = 2 ** 31 - 1;

/** Throws {@link InvalidOptionError} unless `value` can serve as a bound. */
export function requireLimit(name: string, value: number): void {
  if (Number.isInteger(value) && value >= 1 && value <= MAX_LIMIT) return;
  throw new InvalidOptionError(`${name} is ${value}; give a whole number from 1 to ${MAX_LIMIT}`);
}
