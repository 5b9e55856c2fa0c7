import type { FlowParts } from "@millrace/aggregator/flow";
import { Dataflow } from "@millrace/dataflow";
import type { Decoder, RawLine } from "@millrace/dataflow";
import { decodeLine } from "@millrace/redis-source";

interface Visit {
  readonly user: number;
  readonly page: string;
}

const visit: Decoder<RawLine, Visit> = {
  decode(line) {
    const { user, page } = JSON.parse(String(line)) as Readonly<Record<string, string>>;
    if (page !== undefined && /^\d+$/.test(String(user)))
      return { kind: "event", event: { user: Number(user), page } };
    return { kind: "malformed", reason: { code: "no-visit", message: "the line is no visit" } };
  },
};

interface Visits extends Visit {
  readonly visits: number;
}

/** Visits by channel or stream, with the pages, the highest user, and what came beside the last visit. */
export default function visits({ sourceWithOrigin, windower, clock, results }: FlowParts): Dataflow {
  const flow = new Dataflow("visits");
  flow
    .input("visits", sourceWithOrigin)
    .decode(decodeLine(visit, (event, { channel, fields }) => ({ ...event, channel, ...fields })))
    .keyBy("channel")
    .window("windows", windower, clock)
    .reduce(
      "last",
      (event): Visits => ({ ...event, visits: 1 }),
      (a, b) => ({ ...b, user: Math.max(a.user, b.user), visits: a.visits + b.visits }),
    )
    .mapValue((last) => last)
    .output("out", results);
  return flow;
}
