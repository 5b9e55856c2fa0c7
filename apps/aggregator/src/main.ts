import { runFlowProgram } from "@millrace/command";
import { AGGREGATOR, COMMANDS } from "./aggregator.ts";

const args = process.argv.slice(2);
const command = COMMANDS.find((each) => each === args[0]);
const call =
  command === undefined
    ? { title: "aggregator", command: "run" as const, args }
    : { title: `aggregator ${command}`, command, args: args.slice(1) };
await runFlowProgram(call, () => AGGREGATOR);
