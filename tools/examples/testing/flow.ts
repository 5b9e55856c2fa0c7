import { Dataflow, eventTime, tumbling } from "millrace";
import type { Sink, Source } from "millrace";

export interface Visit {
  readonly page: string;
  readonly at: number;
}

export interface Visits {
  readonly minute: number;
  readonly page: string;
  readonly visits: number;
}

/** Visits of each page in each minute. Source and sink are parameters, so that a test can pass its own. */
export function visitsFlow(source: Source<Visit>, sink: Sink<Visits>) {
  const flow = new Dataflow("visits");
  flow
    .input("visits", source)
    .keyBy("page")
    .window("minutes", tumbling("1m"), eventTime("at", { wait: "5s" }))
    .count()
    .map(({ key, value, window }) => ({ minute: window.open / 60_000, page: key, visits: value }))
    .output("out", sink);
  return flow;
}
