import { Dataflow, json } from "millrace";
import type { FlowParts } from "millrace";
import { z } from "zod";

const click = z.object({
  os_timezone: z.string(),
  device_is_mobile: z.boolean(),
  at: z.number(),
});

/** Mobile users by time zone. Windows and their clock are options of the command; windows of 5 s are the default. */
export default function clicks({ source, windower, clock, windowing, results }: FlowParts) {
  const flow = new Dataflow("clicks");
  flow
    .input("clicks", source)
    .decode(json(click))
    .keyBy("os_timezone")
    .window("windows", windower, clock, windowing)
    .sum("mobile", ({ device_is_mobile }) => Number(device_is_mobile))
    .mapValue((mobile, { key }) => ({ timezone: key, num_mobile_users: mobile }))
    .output("out", results);
  return flow;
}
