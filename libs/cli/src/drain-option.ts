import { parseDuration } from "@millrace/windowing/options";
import type { CommandLine, Value } from "./command-line.ts";

/**
 * Declares the option that limits the drain after a request to stop. Its value, ms, must be in the configuration as
 * `drainTimeoutMs`, which `runProgram` reads too.
 *
 * @param fallback the default, as a duration
 */
export function drainOption(cli: CommandLine, fallback: string): Value<number> {
  return cli.option(
    {
      flag: "--drain-timeout <duration>",
      env: "MILLRACE_DRAIN_TIMEOUT",
      description:
        "how long the program may take after a request to stop to finish and print what it has read; after that it reports what is missing and ends with exit code 1",
      parse: (given) => parseDuration(given),
      defaultText: fallback,
    },
    parseDuration(fallback),
  );
}
