import type { Dataflow, RawLine, Sink, Source, WindowOptions } from "@millrace/dataflow";
import type { Clock, Windower } from "@millrace/windowing";
import type { Reporter, ResultRow } from "../result-row.ts";

/** What the aggregator has ready for a flow: all that its options decide. */
export interface FlowParts {
  /** The events, line by line. */
  readonly source: Source<RawLine>;
  /** `--window` */
  readonly windower: Windower;
  /** `--clock` */
  readonly clock: Clock<unknown>;
  /** `--allowed-lateness` and `--early`: options of a window step. */
  readonly windowing: Pick<WindowOptions<unknown>, "allowedLateness" | "earlyEvery">;
  /** For a `map` after a window step: takes what is in a row; `--meta` adds where the row comes from. */
  readonly report: Reporter;
  /** Takes what `report` makes. */
  readonly results: Sink<ResultRow>;
  /** Takes everything else: text as it is, other rows as JSON. */
  readonly out: Sink<unknown>;
}

/** Builds a flow, be it later. A flow module exports one, or a finished `Dataflow`. */
export type FlowOf = (parts: FlowParts) => Dataflow | Promise<Dataflow>;
