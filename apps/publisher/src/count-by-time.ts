import type { Emitter, Operator } from "@millrace/dataflow";

/**
 * How many events came in each stretch of time, and at the end in the last one; nothing for one without events. It is for
 * show, and no window: what of it is missing at the end is no result that was lost.
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
      // While events come without a pause, no time passes but in between.
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
