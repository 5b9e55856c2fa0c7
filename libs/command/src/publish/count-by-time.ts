import type { Emitter, Operator } from "@millrace/dataflow";

/**
 * Emits the number of events of each interval, and at the end that of the last, partial one; nothing for an interval without
 * events. It is a progress display and not a window: a count that is missing after a hard stop is not a lost result.
 */
export function countByTime(everyMs: number): Operator<unknown, number> {
  let count = 0;
  let dueAt: number | undefined;
  const emit = (out: Emitter<number>): void => {
    if (count > 0) out.emit({ events: [count], keys: undefined, times: undefined });
    count = 0;
    dueAt = undefined;
  };
  const emitDue = (now: number, out: Emitter<number>): void => {
    if (dueAt !== undefined && now >= dueAt) emit(out);
  };
  return {
    process({ events }, now, out) {
      // While batches follow each other without a pause, `advance` is not called, so the time is checked here.
      emitDue(now, out);
      count += events.length;
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
