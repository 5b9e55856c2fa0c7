import type { Batch, Emitter, Json, Operator, OperatorFactory } from "@millrace/dataflow";

/** Passes every n-th event of a partition, counted across restarts. */
export function everyNth<T>(n: number): OperatorFactory<T, T> {
  return () => new EveryNth<T>(n);
}

class EveryNth<T> implements Operator<T, T> {
  readonly #n: number;
  #seen = 0;

  constructor(n: number) {
    this.#n = n;
  }

  process(batch: Batch<T>, _now: number, out: Emitter<T>): void {
    const chosen = (_: unknown, row: number): boolean => (this.#seen + row + 1) % this.#n === 0;
    const { events, keys, times } = batch;
    out.emit({ events: events.filter(chosen), keys: keys?.filter(chosen), times: times?.filter(chosen) });
    this.#seen += events.length;
  }

  snapshot() {
    return [{ group: "count", put: [["seen", this.#seen] as const] }];
  }

  restore(
    groups: Iterable<readonly [group: string, fields: Iterable<readonly [field: string, value: Json]>]>,
  ): void {
    for (const [, fields] of groups) this.#seen = Number(new Map(fields).get("seen") ?? 0);
  }
}
