import { CommandLine, logOptions, oneOf, positive, redisOptions } from "@millrace/cli";
import type { ProgramConfig, RedisSettings } from "@millrace/cli";
import type { Windower } from "@millrace/windowing";
import { FLOW_NAMES } from "./flows/flows.ts";
import type { FlowName } from "./flows/flows.ts";
import { parseWindow } from "./window-spec.ts";

/** Everything that the aggregator can be told. */
export interface AggregatorConfig extends ProgramConfig {
  readonly redis: RedisSettings;
  readonly flow: FlowName;
  readonly windower: Windower;
  readonly meta: boolean;
  /** `Infinity`: never. */
  readonly exitWhenIdleMs: number;
}

/**
 * @param args without the program's own name
 * @throws UsageError, HelpShown
 */
export function aggregatorConfig(
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): AggregatorConfig {
  const cli = new CommandLine(
    "aggregator",
    "Reads click events from a Redis channel and prints what a flow makes of them, one JSON object a line.",
  );
  const flow = cli.option(
    {
      flag: "--flow <name>",
      env: "MILLRACE_FLOW",
      description: `what to do with the events: ${FLOW_NAMES.join(", ")}`,
      parse: oneOf(FLOW_NAMES),
    },
    "mobile-counts",
  );
  const windower = cli.option(
    {
      flag: "--window <kind:length>",
      env: "MILLRACE_WINDOW",
      description: "windows to count in; units of the length are ms, s, m, h, d",
      parse: parseWindow,
      defaultText: "tumbling:5s",
    },
    parseWindow("tumbling:5s"),
  );
  const meta = cli.toggle({
    flag: "--meta",
    env: "MILLRACE_META",
    description: "rows also tell their window and why it closed",
  });
  const idle = cli.option(
    {
      flag: "--exit-when-idle <seconds>",
      env: "MILLRACE_EXIT_WHEN_IDLE",
      description: "end the input once nothing has come for so long after the first event; all windows close",
      parse: positive,
      defaultText: "never",
    },
    Infinity,
  );
  const redis = redisOptions(cli);
  const log = logOptions(cli);
  cli.parse(args, env);
  return {
    flow: flow(),
    windower: windower(),
    meta: meta(),
    exitWhenIdleMs: idle() * 1_000,
    redis: redis(),
    log: log(),
  };
}
