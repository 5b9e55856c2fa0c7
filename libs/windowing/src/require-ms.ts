import { toMs } from "./duration.ts";
import type { Duration } from "./duration.ts";
import { WindowSpecError } from "./errors.ts";

/**
 * A duration as a whole number of milliseconds of at least `least`.
 *
 * @throws WindowSpecError, DurationError
 */
export function requireMs(duration: Duration, name: string, least: number): number {
  const ms = toMs(duration);
  if (Number.isSafeInteger(ms) && ms >= least) return ms;
  throw new WindowSpecError(
    `${name} is ${String(duration)}, but must be a whole number of milliseconds` +
      (Number.isFinite(least) && least > Number.MIN_SAFE_INTEGER ? ` of at least ${String(least)}` : "") +
      ', or a text such as "5s".',
  );
}
