import { CommandLine, UsageError, findFile } from "@millrace/cli";
import type { FlowCommand, FlowProgram } from "./flow-program.ts";
import { importFlowModule } from "./flows/import-flow-module.ts";
import { moduleOptions } from "./flows/module-options.ts";
import { runOptions } from "./options/run-options.ts";

/** Where events come from if no option says so. */
export const EVENTS_TRANSPORT = { channel: "events" };

/**
 * The program that runs the flow of a module.
 *
 * @param given the module's path, as typed; `undefined`: none, so that only the help can be shown
 * @throws UsageError for a file that is not there; FlowModuleError for one that cannot be loaded
 */
export async function moduleProgram(
  given: string | undefined,
  env: Readonly<Record<string, string | undefined>>,
): Promise<FlowProgram> {
  const common = { usageOf, description: DESCRIPTION, commands: [], transport: EVENTS_TRANSPORT };
  const withoutFlow: FlowProgram = { ...common, choose: () => noFlow };
  if (given === undefined) return withoutFlow;
  const path = pathOf(given, env);
  const { options = {} } = await importFlowModule(path);
  const taken = new CommandLine("", "");
  runOptions(withoutFlow, taken, env);
  const isTaken = (flag: string): boolean => taken.hasFlag(flag) || OF_COMMANDS.test(flag);
  return {
    ...common,
    choose: (cli) => {
      const values = moduleOptions(cli, path, options, isTaken);
      return () => ({ kind: "module", path, options: values() });
    },
  };
}

/** Options of other commands, which a module has too. */
const OF_COMMANDS = /^--(format|results|diff)\b/;

const DESCRIPTION =
  "Runs the flow of a module, over Redis or over a file, until its input ends or Ctrl-C. The module exports a Dataflow, or " +
  "a function that makes one of the parts that the options decide; it may declare options of its own, which are listed " +
  "here once the module is named: millrace run ./flow.ts --help.";

/** @throws UsageError */
export function noFlow(): never {
  throw new UsageError("name the flow module first, such as ./flow.ts");
}

function usageOf(command: FlowCommand): string {
  return `millrace ${command} <flow>`;
}

function pathOf(given: string, env: Readonly<Record<string, string | undefined>>): string {
  try {
    return findFile(given, env);
  } catch (error) {
    if (error instanceof RangeError) throw new UsageError(error.message);
    throw error;
  }
}
