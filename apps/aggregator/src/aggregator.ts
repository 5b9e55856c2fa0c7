import { flowOption } from "@millrace/command";
import type { FlowProgram } from "@millrace/command";
import { CLICK_TRANSPORT } from "@millrace/event-schema/transport";
import { FLOWS } from "./flows/flows.ts";

/** Names of the commands beside running a flow. */
export const COMMANDS = ["graph", "inspect", "reset"] as const;

/** The aggregator of clicks. */
export const AGGREGATOR: FlowProgram = {
  usageOf: (command) => (command === "run" ? "aggregator" : `aggregator ${command}`),
  description:
    "Reads click events from Redis, runs a flow, and prints its rows. " +
    "Other commands, each with a --help of its own: aggregator graph, inspect, reset.",
  commands: COMMANDS,
  choose: (cli, env) => flowOption(cli, FLOWS, env),
  transport: CLICK_TRANSPORT,
};
