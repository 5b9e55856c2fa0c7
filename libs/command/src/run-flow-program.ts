import { runProgram } from "@millrace/cli";
import { graph, graphConfig } from "./commands/graph.ts";
import { inspect, inspectConfig } from "./commands/inspect.ts";
import { reset, resetConfig } from "./commands/reset.ts";
import { run } from "./commands/run.ts";
import type { FlowCommand, FlowProgram } from "./flow-program.ts";
import { runConfig } from "./options/run-options.ts";

/** What is run, and how it is called in its log. */
export interface FlowProgramCall {
  readonly title: string;
  readonly command: FlowCommand;
  /** After the command's name. */
  readonly args: readonly string[];
}

/**
 * Runs one of the commands of a program as this process.
 *
 * @param load makes the program; what it throws is reported as other failures are
 */
export function runFlowProgram(
  { title, command, args }: FlowProgramCall,
  load: (env: NodeJS.ProcessEnv) => FlowProgram | Promise<FlowProgram>,
): Promise<void> {
  switch (command) {
    case "run":
      return runProgram(title, async (given, env) => runConfig(await load(env), given, env), run, args);
    case "graph":
      return runProgram(title, async (given, env) => graphConfig(await load(env), given, env), graph, args);
    case "inspect":
      return runProgram(
        title,
        async (given, env) => inspectConfig(await load(env), given, env),
        inspect,
        args,
      );
    case "reset":
      return runProgram(title, async (given, env) => resetConfig(await load(env), given, env), reset, args);
  }
}
