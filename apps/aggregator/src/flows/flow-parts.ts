import type { RawLine, Sink, Source } from "@millrace/dataflow";
import type { Windower } from "@millrace/windowing";

/** What a flow of the aggregator is made of, besides its steps. */
export interface FlowParts<Row> {
  readonly source: Source<RawLine>;
  readonly out: Sink<Row>;
  /** Used by flows that keep windows. */
  readonly windower: Windower;
  /** Rows tell their window and why it closed. */
  readonly meta: boolean;
}
