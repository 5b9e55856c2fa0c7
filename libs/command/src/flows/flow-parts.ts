import type { Dataflow, RawLine, Sink, Source, WindowOptions } from "@millrace/dataflow";
import type { Clock, LateEvent, RefusedEvent, WindowResult, Windower } from "@millrace/windowing";
import type { FlowOptions, FlowOptionValues } from "./module-options.ts";

/**
 * What the command has ready for a flow: all that its options decide.
 *
 * @typeParam Options the options that the flow's module declares, as in `FlowParts<typeof options>`
 */
export interface FlowParts<Options extends FlowOptions = FlowOptions> {
  /** The events, line by line. */
  readonly source: Source<RawLine>;
  /** `--window` */
  readonly windower: Windower;
  /** `--clock` */
  readonly clock: Clock<unknown>;
  /** `--allowed-lateness` and `--early`: options of a window step. */
  readonly windowing: Pick<WindowOptions<unknown>, "allowedLateness" | "earlyEvery">;
  /** Takes results of windows. A row is the result's value; `--meta` adds where it comes from. */
  readonly results: Sink<WindowResult<unknown>>;
  /** `--late`: takes late and refused events. `undefined`: the option is not given. */
  readonly late?: Sink<LateEvent<unknown> | RefusedEvent<unknown>> | undefined;
  /** Takes everything else: text as it is, other rows as JSON. */
  readonly out: Sink<unknown>;
  /** Values of the options that the flow's module declares. */
  readonly options: FlowOptionValues<Options>;
}

/** Builds a flow, at once or async. A flow module exports one, or a finished `Dataflow`. */
export type FlowOf = (parts: FlowParts) => Dataflow | Promise<Dataflow>;
