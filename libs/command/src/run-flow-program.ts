import { runProgram } from "@millrace/cli";
import type { FlowCommand, FlowProgram } from "./flow-program.ts";

/** What is run, and how it is called in its log. */
export interface FlowProgramCall {
  readonly title: string;
  readonly command: FlowCommand;
  /** After the command's name. */
  readonly args: readonly string[];
}

/**
 * Runs one of the commands of a program as this process. What a command does is loaded when its options are valid: `--help` and
 * a wrong option need a tenth of the modules.
 *
 * @param load makes the program; what it throws is reported as other failures are
 */
export async function runFlowProgram(
  { title, command, args }: FlowProgramCall,
  load: (env: NodeJS.ProcessEnv) => FlowProgram | Promise<FlowProgram>,
): Promise<void> {
  switch (command) {
    case "run": {
      const { runConfig } = await import("./options/run-options.ts");
      return runProgram(
        title,
        async (given, env) => runConfig(await load(env), given, env),
        async (context) => (await import("./commands/run.ts")).run(context),
        args,
      );
    }
    case "graph": {
      const { graph, graphConfig } = await import("./commands/graph.ts");
      return runProgram(title, async (given, env) => graphConfig(await load(env), given, env), graph, args);
    }
    case "inspect": {
      const { inspect, inspectConfig } = await import("./commands/inspect.ts");
      const config = async (given: readonly string[], env: NodeJS.ProcessEnv) =>
        inspectConfig(await load(env), given, env);
      return runProgram(title, config, inspect, args);
    }
    case "reset": {
      const { reset, resetConfig } = await import("./commands/reset.ts");
      return runProgram(title, async (given, env) => resetConfig(await load(env), given, env), reset, args);
    }
  }
}
