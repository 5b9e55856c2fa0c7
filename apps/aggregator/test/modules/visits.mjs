import { Dataflow } from "@millrace/dataflow";
import { decodeLine } from "@millrace/redis-source";

const visit = {
  decode(line) {
    const { user, page, at } = JSON.parse(String(line));
    if (page !== undefined && /^\d+$/.test(String(user)))
      return { kind: "event", event: { user: Number(user), page, ...(at !== undefined && { at }) } };
    return { kind: "malformed", reason: { code: "no-visit", message: "the line is no visit" } };
  },
};

/**
 * Visits by channel or stream, with the pages, the highest user, and what came beside the last visit.
 *
 * @param {import("@millrace/aggregator/flow").FlowParts} parts
 */
export default function visits({ sourceWithOrigin, windower, clock, results }) {
  const flow = new Dataflow("visits");
  flow
    .input("visits", sourceWithOrigin)
    .decode(decodeLine(visit, (event, { channel, fields }) => ({ ...event, channel, ...fields })))
    .keyBy("channel")
    .window("windows", windower, clock)
    .reduce(
      "last",
      (event) => ({ ...event, visits: 1 }),
      (a, b) => ({ ...b, user: Math.max(a.user, b.user), visits: a.visits + b.visits }),
    )
    .mapValue((last) => last)
    .output("out", results);
  return flow;
}
