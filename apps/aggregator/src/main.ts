import { runProgram } from "@millrace/cli";
import { graph, graphConfig } from "./commands/graph.ts";
import { inspect, inspectConfig } from "./commands/inspect.ts";
import { reset, resetConfig } from "./commands/reset.ts";
import { serve } from "./commands/serve.ts";
import { aggregatorConfig } from "./config.ts";

type Command = (args: readonly string[]) => Promise<void>;

const serveFlow: Command = (args) => runProgram("aggregator", aggregatorConfig, serve, args);

const COMMANDS: ReadonlyMap<string | undefined, Command> = new Map([
  ["graph", (args: readonly string[]) => runProgram("aggregator graph", graphConfig, graph, args)],
  ["inspect", (args) => runProgram("aggregator inspect", inspectConfig, inspect, args)],
  ["reset", (args) => runProgram("aggregator reset", resetConfig, reset, args)],
]);

const [name, ...rest] = process.argv.slice(2);
const command = COMMANDS.get(name);
await (command === undefined ? serveFlow(process.argv.slice(2)) : command(rest));
