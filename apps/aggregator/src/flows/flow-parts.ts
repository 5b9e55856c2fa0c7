import type { Dataflow, RawLine, Sink, Source, WindowOptions } from "@millrace/dataflow";
import type { LineWithOrigin } from "@millrace/redis-source";
import type { Clock, LateEvent, WindowResult, Windower } from "@millrace/windowing";

/** What the aggregator has ready for a flow: all that its options decide. */
export interface FlowParts {
  /** The events, line by line. */
  readonly source: Source<RawLine>;
  /** The same, with the channel or stream of each line and the other fields of its entry: in place of `source`. */
  readonly sourceWithOrigin: Source<LineWithOrigin>;
  /** `--window` */
  readonly windower: Windower;
  /** `--clock` */
  readonly clock: Clock<unknown>;
  /** `--allowed-lateness` and `--early`: options of a window step. */
  readonly windowing: Pick<WindowOptions<unknown>, "allowedLateness" | "earlyEvery">;
  /** Takes results of windows. A row is the result's value; `--meta` adds where it comes from. */
  readonly results: Sink<WindowResult<unknown>>;
  /** `--late`: takes late events. `undefined`: the option is not given. */
  readonly late?: Sink<LateEvent<unknown>> | undefined;
  /** Takes everything else: text as it is, other rows as JSON. */
  readonly out: Sink<unknown>;
}

/** Builds a flow, at once or async. A flow module exports one, or a finished `Dataflow`. */
export type FlowOf = (parts: FlowParts) => Dataflow | Promise<Dataflow>;
