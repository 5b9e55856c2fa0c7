import { CallbackSink, Dataflow } from "@millrace/dataflow";
import type { RawLine, Sink, Source } from "@millrace/dataflow";
import { countByTime } from "./count-by-time.ts";
import type { Portion } from "./count-by-time.ts";

/** The parts of the publisher's flow. */
export interface PublishFlowParts {
  readonly source: Source<RawLine>;
  readonly sink: Sink<RawLine>;
  /** Interval of progress reports, ms. */
  readonly progressEveryMs: number;
  /** What a line adds to the size of a portion. */
  readonly sizeOf: (line: RawLine) => number;
  /** Called with what was published in each interval, and once more at the end. */
  readonly onProgress: (portion: Portion) => void;
}

/** Copies lines unchanged from the source to the sink, and counts them for the progress report. */
export function publishFlow({
  source,
  sink,
  progressEveryMs,
  sizeOf,
  onProgress,
}: PublishFlowParts): Dataflow {
  const flow = new Dataflow("publish");
  const lines = flow.input("lines", source);
  lines.output("events", sink);
  lines
    .custom("progress", () => countByTime(progressEveryMs, sizeOf))
    .output(
      "report",
      new CallbackSink((portions) => {
        for (const portion of portions) onProgress(portion);
      }),
    );
  return flow;
}
