import { Dataflow, IterableSource, SILENT_LOGGER, run } from "@millrace/dataflow";
import { RedisStreamSink } from "@millrace/redis-source";
import type { ClickEvent } from "@millrace/event-schema";

/**
 * Adds clicks to a stream as the publisher does, without a start of that program: for tests of what is done with lines that
 * are there.
 *
 * @param partitions by time zone. `@default 1`
 */
export async function addLines(
  url: string,
  stream: string,
  lines: readonly string[],
  partitions = 1,
): Promise<void> {
  const sink = new RedisStreamSink(
    { url },
    {
      stream,
      partitions,
      partitionedBy: "os_timezone",
      keyOf: (line) => (JSON.parse(String(line)) as ClickEvent).os_timezone,
    },
  );
  const flow = new Dataflow("add-lines");
  flow.input("lines", new IterableSource(lines)).output("stream", sink);
  await run(flow, { logger: SILENT_LOGGER });
}
