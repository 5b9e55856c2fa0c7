import { CallbackSink, Dataflow } from "@millrace/dataflow";
import type { Operator, RawLine, Sink, Source } from "@millrace/dataflow";
import { systemTime, tumbling } from "@millrace/windowing";

/** What the publisher's flow is made of. */
export interface PublishFlowParts {
  readonly source: Source<RawLine>;
  readonly sink: Sink<RawLine>;
  /** How often progress is told, ms. */
  readonly progressEveryMs: number;
  /** Called with the lines of each such time, and once more at the end. */
  readonly onProgress: (lines: number) => void;
}

/** Lines as they are from a source to a sink, and a windowed count of them to see how far it has come. */
export function publishFlow({ source, sink, progressEveryMs, onProgress }: PublishFlowParts): Dataflow {
  const flow = new Dataflow("publish");
  const lines = flow.input("lines", source);
  lines.output("redis", sink);
  lines
    .custom("batches", sizesOfBatches)
    .keyBy(() => "all")
    .window("progress", tumbling(progressEveryMs), systemTime())
    .sum("lines", (size) => size)
    .output(
      "tell",
      new CallbackSink((rows) => {
        for (const { value } of rows) onProgress(value);
      }),
    );
  return flow;
}

/** One number for each batch: to count lines one by one would cost much for a progress bar. */
function sizesOfBatches(): Operator<RawLine, number> {
  return {
    process({ events }, _now, out) {
      out.emit({ events: [events.length], keys: undefined, times: undefined });
    },
  };
}
