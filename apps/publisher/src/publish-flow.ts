import { CallbackSink, Dataflow } from "@millrace/dataflow";
import type { RawLine, Sink, Source } from "@millrace/dataflow";
import { countByTime } from "./count-by-time.ts";

/** What the publisher's flow is made of. */
export interface PublishFlowParts {
  readonly source: Source<RawLine>;
  readonly sink: Sink<RawLine>;
  /** How often progress is told, ms. */
  readonly progressEveryMs: number;
  /** Called with the lines of each such time, and once more at the end. */
  readonly onProgress: (lines: number) => void;
}

/** Lines as they are from a source to a sink, and a count of them to see how far it has come. */
export function publishFlow({ source, sink, progressEveryMs, onProgress }: PublishFlowParts): Dataflow {
  const flow = new Dataflow("publish");
  const lines = flow.input("lines", source);
  lines.output("redis", sink);
  lines
    .custom("progress", () => countByTime(progressEveryMs))
    .output(
      "tell",
      new CallbackSink((counts) => {
        for (const count of counts) onProgress(count);
      }),
    );
  return flow;
}
