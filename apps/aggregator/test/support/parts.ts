import { IterableSource, mapRows } from "@millrace/dataflow";
import type { RawLine } from "@millrace/dataflow";
import type { LineWithOrigin } from "@millrace/redis-source";
import { TestingSink } from "@millrace/dataflow/testing";
import { systemTime, tumbling } from "@millrace/windowing";
import { rowOf } from "@millrace/command";
import type { FlowParts } from "@millrace/command/flow";

/** Parts of a flow, and what comes out of it as lines of JSON. */
export interface TestParts extends FlowParts {
  /** Since the last call. */
  readonly takeLines: () => readonly string[];
}

/** Parts as the aggregator has them ready by default, but for the source and the sink. */
export function testParts(given: Partial<FlowParts> & { readonly meta?: boolean } = {}): TestParts {
  const { meta = false, ...parts } = given;
  const sink = new TestingSink<unknown>();
  return {
    source: new IterableSource<RawLine>([]),
    sourceWithOrigin: new IterableSource<LineWithOrigin>([]),
    windower: tumbling(5_000),
    clock: systemTime(),
    windowing: {},
    results: mapRows(sink, rowOf(meta)),
    out: sink,
    options: {},
    takeLines: () => sink.take().map((row) => (typeof row === "string" ? row : JSON.stringify(row))),
    ...parts,
  };
}
