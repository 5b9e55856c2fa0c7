import { CommandLine, UsageError, runProgram } from "@millrace/cli";
import { COUNT, COUNT_PROGRAM } from "./count/count-program.ts";
import type { FlowCommand } from "./flow-program.ts";
import { EVENTS_TRANSPORT, moduleProgram, noFlow } from "./module-program.ts";
import { runPublisher } from "./publish/run-publisher.ts";
import { runFlowProgram } from "./run-flow-program.ts";

const HELP = `Usage: millrace <command> [options]

Windowed stream processing: counts and sums events by time windows, from Redis or from a file.

Commands:
  count           count and sum events by their fields, without code
  run <flow>      run a flow module, such as ./flow.ts
  publish         publish the lines of a file to Redis
  graph <flow>    print the graph of a flow
  inspect <flow>  print what Redis keeps of a flow
  reset <flow>    make a flow forget what it keeps in Redis

  A <flow> is a module, or count. Ctrl-C ends a run, after it has shown the open windows.

  millrace <command> --help lists its options. Each is an environment variable, too.
  millrace --version prints the version.

Try it without a Redis, over a file with one JSON object a line:
  millrace count --by=country --window=tumbling:1m --clock=event:at --file=events.jsonl
  millrace run ./flow.ts --file=events.jsonl

Over Redis, in two terminals:
  millrace count --by=country --transport=stream
  millrace publish --file=events.jsonl --transport=stream
`;

const FLOW_COMMANDS: readonly FlowCommand[] = ["run", "graph", "inspect", "reset"];
const COMMANDS = [COUNT, ...FLOW_COMMANDS, "publish"];

/** The command `millrace`: runs one of its commands as this process. @param args after `millrace` */
export async function millrace(args: readonly string[]): Promise<void> {
  const [name, ...rest] = args;
  const command = FLOW_COMMANDS.find((each) => each === name);
  if (command !== undefined) return overFlow(command, rest);
  if (name === COUNT) {
    return runFlowProgram({ title: "millrace count", command: "run", args: rest }, () => COUNT_PROGRAM);
  }
  if (name === "publish") {
    return runPublisher({ title: "millrace publish", transport: EVENTS_TRANSPORT }, rest);
  }
  if (name === undefined || name === "help" || name === "--help" || name === "-h") {
    process.stdout.write(HELP);
    return;
  }
  // Shows the version, or says that there is no such command or option.
  await runProgram("millrace", versionOnly, () => Promise.resolve(), args);
}

/** The flow comes first, since it may declare some of the options. */
function overFlow(command: FlowCommand, args: readonly string[]): Promise<void> {
  // `inspect --diff ./flow.ts` reads well, too.
  const [first, second] = args;
  const given =
    command === "inspect" && first === "--diff" && second !== undefined
      ? [second, first, ...args.slice(2)]
      : args;
  const flow = given[0]?.startsWith("-") === true ? undefined : given[0];
  const call = { title: `millrace ${command}`, command, args: flow === undefined ? given : given.slice(1) };
  return runFlowProgram(call, (env) => {
    if (flow === undefined && !args.some((arg) => /^(-h|--help|-V|--version)$/.test(arg))) return noFlow();
    return flow === COUNT ? COUNT_PROGRAM : moduleProgram(flow, env);
  });
}

function versionOnly(args: readonly string[], env: NodeJS.ProcessEnv): never {
  const cli = new CommandLine("millrace", "", COMMANDS);
  cli.parse(args, env);
  throw new UsageError("give a command");
}
