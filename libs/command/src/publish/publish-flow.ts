import { CallbackSink, Dataflow } from "@millrace/dataflow";
import type { RawLine, Sink, Source } from "@millrace/dataflow";
import { countByTime } from "./count-by-time.ts";

/** The parts of the publisher's flow. */
export interface PublishFlowParts {
  readonly source: Source<RawLine>;
  readonly sink: Sink<RawLine>;
  /** Interval of progress reports, ms. */
  readonly progressEveryMs: number;
  /** Called with the number of lines of each interval, and once more at the end. */
  readonly onProgress: (lines: number) => void;
}

/** Copies lines unchanged from the source to the sink, and counts them for the progress report. */
export function publishFlow({ source, sink, progressEveryMs, onProgress }: PublishFlowParts): Dataflow {
  const flow = new Dataflow("publish");
  const lines = flow.input("lines", source);
  lines.output("events", sink);
  lines
    .custom("progress", () => countByTime(progressEveryMs))
    .output(
      "report",
      new CallbackSink((counts) => {
        for (const count of counts) onProgress(count);
      }),
    );
  return flow;
}
