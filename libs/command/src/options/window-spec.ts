import {
  DURATION_FORM,
  WindowSpecError,
  isCalendarLength,
  parseDuration,
  session,
  sliding,
  tumbling,
} from "@millrace/windowing/options";
import type { BuiltInWindower } from "@millrace/windowing";

interface Kind {
  /** How many it takes. */
  readonly durations: 1 | 2;
  readonly build: (firstMs: number, secondMs: number) => BuiltInWindower;
}

const KINDS: Readonly<Record<string, Kind>> = {
  tumbling: { durations: 1, build: (length) => tumbling(length) },
  sliding: { durations: 2, build: slidingWindower },
  session: { durations: 1, build: (gap) => session(gap) },
};

function slidingWindower(lengthMs: number, offsetMs: number): BuiltInWindower {
  if (offsetMs <= lengthMs) return sliding(lengthMs, { every: offsetMs });
  throw new RangeError(
    "the second duration is longer than the first, so that events between two windows would be in none: in " +
      "sliding:<length>/<offset> the offset, from one window's start to the next, is at most the length",
  );
}

/**
 * Reads the value of `--window`: `tumbling:5s`, `sliding:10s/1s` (length and offset), `session:30s` (gap) or
 * `tumbling:1d@Europe/Berlin` (days of a time zone).
 *
 * @throws RangeError, DurationError that says what is wanted
 */
export function parseWindow(text: string): BuiltInWindower {
  const [name = "", ...rest] = text.split(":");
  const lengths = rest.join(":");
  const zoned = lengths.indexOf("@");
  if (zoned >= 0) return calendarWindower(name, lengths.slice(0, zoned), lengths.slice(zoned + 1));
  const durations = lengths.split("/");
  const kind = Object.hasOwn(KINDS, name) ? KINDS[name] : undefined;
  if (kind === undefined || rest.length === 0 || durations.length !== kind.durations) {
    throw new RangeError(
      `${JSON.stringify(text)} is not a window: give tumbling:<length>, sliding:<length>/<offset> or session:<gap>, ` +
        `each of them ${DURATION_FORM}; or calendar days, weeks or months, such as tumbling:1d@Europe/Berlin`,
    );
  }
  const [firstMs = Number.NaN, secondMs = Number.NaN] = durations.map((duration) => parseDuration(duration));
  return asRangeError(() => kind.build(firstMs, secondMs));
}

function calendarWindower(kind: string, length: string, timeZone: string): BuiltInWindower {
  if (kind !== "tumbling") {
    throw new RangeError(`only tumbling windows have a time zone, such as tumbling:1d@${timeZone}`);
  }
  if (isCalendarLength(length)) return asRangeError(() => tumbling(length, { timeZone }));
  throw new RangeError(
    `${JSON.stringify(length)} is not a length of windows in a time zone: give whole days, weeks or months, such as 1d, ` +
      "2w or 3mo",
  );
}

function asRangeError(build: () => BuiltInWindower): BuiltInWindower {
  try {
    return build();
  } catch (error) {
    if (error instanceof WindowSpecError) throw new RangeError(error.message, { cause: error });
    throw error;
  }
}
