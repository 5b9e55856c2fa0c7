import { parseDuration } from "@millrace/windowing";
import type { CommandLine, Value } from "./command-line.ts";

/**
 * Declares the option that says how long a program may take to finish its work once it is asked to stop. Its value, ms,
 * goes into the configuration as `drainTimeoutMs`, where `runProgram` finds it too.
 *
 * @param fallback how the default is written
 */
export function drainOption(cli: CommandLine, fallback: string): Value<number> {
  return cli.option(
    {
      flag: "--drain-timeout <duration>",
      env: "MILLRACE_DRAIN_TIMEOUT",
      description:
        "how long finishing and printing what was read may take after a request to stop; then the program ends with exit code 1 and says what is missing",
      parse: (given) => parseDuration(given),
      defaultText: fallback,
    },
    parseDuration(fallback),
  );
}
