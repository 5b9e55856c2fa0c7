import { CommandLine, inputOptions, logOptions, oneOf } from "@millrace/cli";
import { CLICK_TRANSPORT } from "@millrace/event-schema";
import type { ProgramConfig } from "@millrace/cli";
import { describe, toMermaid } from "@millrace/dataflow";
import { aggregatorOptions } from "../config.ts";
import { flowOptions } from "../flow-options.ts";
import type { FlowSettings } from "../flow-options.ts";
import { clockFor } from "../clock-for.ts";
import { outlineOf } from "../outline-of.ts";

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
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): GraphConfig {
  const cli = new CommandLine(
    "aggregator graph",
    "Prints the graph of a flow. Nothing is read or connected to. The other options of aggregator are accepted and ignored.",
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
  const flow = flowOptions(cli, env);
  const input = inputOptions(cli, CLICK_TRANSPORT);
  const log = logOptions(cli);
  cli.ignore((other) => aggregatorOptions(other, env));
  cli.parse(args, env);
  const shape = flow();
  // Where rows go is not known here.
  const clock = shape.clock ?? clockFor(input().transport, shape, false);
  return { format: format(), flow: { ...shape, clock }, log: log() };
}

/** Prints the graph of the flow that was chosen. */
export async function graph({ config }: { readonly config: GraphConfig }): Promise<void> {
  const description = describe(await outlineOf(config.flow.choice, config.flow));
  const text = config.format === "json" ? JSON.stringify(description, null, 2) : toMermaid(description);
  process.stdout.write(`${text}\n`);
}
