import type { FlowProgram } from "../flow-program.ts";
import { EVENTS_TRANSPORT } from "../module-program.ts";
import { countOptions } from "./count-options.ts";

/** The name by which commands know the flow. */
export const COUNT = "count";

/** The program whose flow is made of options. */
export const COUNT_PROGRAM: FlowProgram = {
  usageOf: (command) => (command === "run" ? `millrace ${COUNT}` : `millrace ${command} ${COUNT}`),
  description:
    "Counts, sums and measures events of JSON by fields and time windows, without code. It reads Redis, or a file or standard input " +
    "with --file, until the input ends or Ctrl-C. For example:\n\n" +
    "millrace count --by=country --where='amount>=10' --sum='amount as revenue' --window=tumbling:1m --file=orders.jsonl",
  commands: [],
  choose: (cli) => {
    const spec = countOptions(cli);
    return () => ({
      kind: "built-in",
      name: COUNT,
      flow: {
        build: async (parts) => (await import("./count-flow.ts")).countFlow(spec())(parts),
        hasTimes: true,
      },
    });
  },
  transport: EVENTS_TRANSPORT,
  fileIsOneWindow: true,
};
