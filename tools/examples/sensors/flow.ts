import { Dataflow, count, eventTime, json, quantile, sliding } from "millrace";
import type { FlowParts } from "millrace";
import { z } from "zod";

const reading = z.object({ device: z.string(), celsius: z.number(), at: z.number() });

/** How warm it was at each device in the last ten minutes, every five minutes. */
export default function sensors({ source, out }: FlowParts) {
  const flow = new Dataflow("sensors");
  flow
    .input("readings", source)
    .decode(json(reading))
    .keyBy("device")
    .window(
      "last_10m",
      sliding("10m", { every: "5m" }),
      eventTime("at", { unit: "s", wait: "1m" }),
      // Each device has a time of its own, so the readings of one whose clock is slow are not late.
      { timeModel: "perKey" },
    )
    .aggregate({
      readings: count(),
      celsius: quantile(({ celsius }) => celsius, [0.5, 0.9]),
    })
    .map(({ key, value: { readings, celsius }, window }) => ({
      device: key,
      until: new Date(window.close).toISOString().slice(11, 16),
      readings,
      median: rounded(celsius[0]),
      p90: rounded(celsius[1]),
    }))
    .output("out", out);
  return flow;
}

function rounded(celsius: number) {
  return Math.round(celsius * 10) / 10;
}
