import type { Operator, OperatorFactory } from "@millrace/dataflow";

/** What the step has emitted, and why. */
export interface SumRow {
  readonly sum: number;
  readonly cause: "early" | "end" | "drain";
}

/** A sum over all of a partition, as the simplest of windows: one that is open until the input ends. */
export function runningSum(pageRows = Infinity): OperatorFactory<number, SumRow> {
  return (): Operator<number, SumRow> => {
    let sum = 0;
    let changed = false;
    let left = 0;
    const rows = (cause: SumRow["cause"]) => ({
      events: [{ sum, cause }],
      keys: undefined,
      times: undefined,
    });
    return {
      process({ events }) {
        for (const event of events) sum += event;
        changed = true;
      },
      early(_now, out) {
        left = pageRows === Infinity ? 0 : pageRows;
        out.emit(rows("early"));
      },
      get pending() {
        return left > 0;
      },
      nextPage(out) {
        left -= 1;
        out.emit(rows("early"));
      },
      finish(cause, _now, out) {
        out.emit(rows(cause));
        sum = 0;
        changed = true;
      },
      snapshot() {
        if (!changed) return [];
        changed = false;
        return [{ group: "sum", put: [["sum", sum]] }];
      },
      restore(groups) {
        for (const [, fields] of groups) sum = Number(new Map(fields).get("sum") ?? 0);
      },
    };
  };
}
