import { WindowSpecError } from "./errors.ts";

/** Refuses anything but a whole number of milliseconds of at least `least`. */
export function requireMs(value: number, name: string, least: number): number {
  if (Number.isSafeInteger(value) && value >= least) return value;
  throw new WindowSpecError(
    `${name} is ${String(value)}, but must be a whole number of milliseconds` +
      (Number.isFinite(least) && least > Number.MIN_SAFE_INTEGER ? ` of at least ${String(least)}.` : "."),
  );
}
