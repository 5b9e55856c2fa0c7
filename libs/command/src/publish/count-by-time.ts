import type { Emitter, Operator } from "@millrace/dataflow";

/** What was published in an interval. */
export interface Portion {
  readonly lines: number;
  /** The sum of what `sizeOf` says of each. */
  readonly size: number;
}

/**
 * Emits what came in each interval, and at the end in the last, partial one; nothing for an interval without lines. It is a
 * progress display and not a window: a count that is missing after a hard stop is not a lost result.
 */
export function countByTime<T>(everyMs: number, sizeOf: (line: T) => number): Operator<T, Portion> {
  let lines = 0;
  let size = 0;
  let dueAt: number | undefined;
  const emit = (out: Emitter<Portion>): void => {
    if (lines > 0) out.emit({ events: [{ lines, size }], keys: undefined, times: undefined });
    lines = 0;
    size = 0;
    dueAt = undefined;
  };
  const emitDue = (now: number, out: Emitter<Portion>): void => {
    if (dueAt !== undefined && now >= dueAt) emit(out);
  };
  return {
    process({ events }, now, out) {
      // While batches follow each other without a pause, `advance` is not called, so the time is checked here.
      emitDue(now, out);
      lines += events.length;
      for (const line of events) size += sizeOf(line);
      dueAt ??= now + everyMs;
    },
    nextWake: () => (dueAt === undefined ? undefined : { at: dueAt, needs: "time" }),
    advance(now, _drainedAt, out) {
      emitDue(now, out);
    },
    finish(_cause, _now, out) {
      emit(out);
    },
  };
}
