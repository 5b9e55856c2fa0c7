import { Dataflow } from "@millrace/dataflow";
import { tumbling, windowTime } from "@millrace/windowing";

/**
 * Counts windows in windows.
 *
 * @param {import("@millrace/aggregator/flow").FlowParts} parts
 */
export default function windowsOfWindows({ source, windower, clock, results }) {
  const flow = new Dataflow("nested");
  flow
    .input("lines", source)
    .keyBy("all", () => "all")
    .window("inner", windower, clock)
    .count("lines")
    .window("outer", tumbling("1m"), windowTime())
    .count("windows")
    .output("out", results);
  return flow;
}
