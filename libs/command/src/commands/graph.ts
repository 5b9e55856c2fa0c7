import { CommandLine, inputOptions, logOptions, oneOf } from "@millrace/cli";
import type { ProgramConfig } from "@millrace/cli";
import { describe, toMermaid } from "@millrace/dataflow";
import type { FlowProgram } from "../flow-program.ts";
import { readsLog, runOptions } from "../options/run-options.ts";
import { flowOptions } from "../options/flow-options.ts";
import type { FlowSettings } from "../options/flow-options.ts";
import { clockFor } from "../options/clock-spec.ts";
import { outlineOf } from "../flows/load-flow.ts";

const FORMATS = ["mermaid", "json"] as const;

/** Options of the command `graph`. */
export interface GraphConfig extends ProgramConfig {
  readonly flow: FlowSettings;
  readonly format: (typeof FORMATS)[number];
}

/**
 * @param args after the command's name
 * @throws UsageError, HelpShown
 */
export function graphConfig(
  program: FlowProgram,
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): GraphConfig {
  const cli = new CommandLine(
    program.usageOf("graph"),
    "Prints the graph of a flow. Nothing is read or connected to. The other options of a run are accepted and ignored.",
  );
  const format = cli.option(
    {
      flag: "--format <format>",
      env: "MILLRACE_GRAPH_FORMAT",
      description: `form of the graph: ${FORMATS.join(", ")}`,
      parse: oneOf(FORMATS),
    },
    "mermaid",
  );
  const flow = flowOptions(cli, (own) => program.choose(own, env));
  const input = inputOptions(cli, program.transport);
  const log = logOptions(cli);
  cli.ignore((other) => runOptions(program, other, env));
  cli.parse(args, env);
  const shape = flow();
  // Where rows go is not known here.
  const clock = shape.clock ?? clockFor(readsLog(undefined, input()), shape, false);
  return { format: format(), flow: { ...shape, clock }, log: log() };
}

/** Prints the graph of the flow that was chosen. */
export async function graph({ config }: { readonly config: GraphConfig }): Promise<void> {
  const description = describe(await outlineOf(config.flow.choice, config.flow));
  const text = config.format === "json" ? JSON.stringify(description, null, 2) : toMermaid(description);
  process.stdout.write(`${text}\n`);
}
