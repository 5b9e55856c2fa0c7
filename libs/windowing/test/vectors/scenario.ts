/** Windows as the vectors describe them. */
export type WindowerSpec =
  | { readonly type: "tumbling"; readonly length_ms: number; readonly align_to_ms: number }
  | {
      readonly type: "sliding";
      readonly length_ms: number;
      readonly offset_ms: number;
      readonly align_to_ms: number;
    }
  | { readonly type: "session"; readonly gap_ms: number };

/** An event; neighbours with the same `batch` are one batch. */
export interface EventItem {
  readonly key: string;
  readonly ts_ms: number;
  readonly value: number;
  readonly now_ms: number;
  readonly batch?: number;
}

/** What happens at an instant of system time, apart from events. */
export type Instant =
  | { readonly drained: true; readonly now_ms: number }
  | { readonly tick: true; readonly now_ms: number }
  | { readonly restart: true; readonly now_ms: number };

export type ScenarioItem = EventItem | Instant;

/** The part of a vector that goes in: what is expected comes from an oracle. */
export interface Scenario<W, O> {
  readonly id: string;
  readonly note?: string;
  readonly clock: { readonly type: "event"; readonly wait_ms: W };
  readonly windower: WindowerSpec;
  readonly op: O;
  readonly ordered?: boolean;
  readonly items: readonly ScenarioItem[];
  /** Whether the input ends after the last item. */
  readonly eof: boolean;
}

export type StreamOp = "count" | "fold_sum" | "collect";
export interface StreamScenario extends Scenario<number | "unbounded", StreamOp> {
  readonly idle: "drained" | "never";
  readonly allowed_lateness_ms: number;
}

export type PerKeyOp = "count" | "fold_sum" | "fold_list" | "collect" | "max" | "min";
export interface PerKeyScenario extends Scenario<number | "max", PerKeyOp> {
  readonly ordered: boolean;
}

/** What an op comes to over all values of a window. */
export function valueOf(op: StreamOp | PerKeyOp, values: readonly number[]): unknown {
  switch (op) {
    case "count":
      return values.length;
    case "fold_sum":
      return values.reduce((total, value) => total + value, 0);
    case "max":
      return Math.max(...values);
    case "min":
      return Math.min(...values);
    case "collect":
    case "fold_list":
      return values;
  }
}
