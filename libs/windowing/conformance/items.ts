import type { Json } from "../src/index.ts";
import type { Fields } from "./fields.ts";
import type { Item } from "./subject.ts";

/** One call of the engine. `last` is the index of the last item in it. */
export type Step =
  | {
      readonly do: "process";
      readonly keys: string[];
      readonly values: Item[];
      readonly now: number;
      last: number;
    }
  | { readonly do: "tick" | "restart" | "drained"; readonly now: number; readonly last: number };

/** Items as calls: neighbours with the same `batch` are one, and an absent `now_ms` has not moved. */
export function stepsOf(items: readonly Fields[]): readonly Step[] {
  const steps: Step[] = [];
  let now = 0;
  let batch: number | undefined;
  items.forEach((item, index) => {
    now = item.optionalNumber("now_ms") ?? now;
    const call = (["tick", "restart", "drained"] as const).find((name) => item.flag(name));
    if (call !== undefined) {
      batch = undefined;
      steps.push({ do: call, now, last: index });
      return;
    }
    const key = item.text("key");
    const value = {
      ts: item.optionalNumber("ts_ms") ?? Number.NaN,
      value: item.any("value") as Json,
      side: item.optionalNumber("side") ?? 0,
    };
    const own = item.optionalNumber("batch");
    const before = steps.at(-1);
    if (own !== undefined && own === batch && before?.do === "process" && before.now === now) {
      before.keys.push(key);
      before.values.push(value);
      before.last = index;
    } else steps.push({ do: "process", keys: [key], values: [value], now, last: index });
    batch = own;
  });
  return steps;
}

/** The number of the call that emitted something, from the item before it; the end is the last one. */
export function callOf(steps: readonly Step[], after: unknown): number {
  const index = steps.findIndex(({ last }) => typeof after === "number" && after <= last);
  return index === -1 ? steps.length : index;
}
