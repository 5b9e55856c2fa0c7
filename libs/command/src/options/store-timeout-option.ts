import type { CommandLine, Value } from "@millrace/cli";
import { parseDuration } from "@millrace/windowing";

/** Declares how long (ms) a store that was reached may be silent: `Infinity`, as long as it takes, unless given. */
export function storeTimeoutOption(cli: CommandLine): Value<number> {
  return cli.option(
    {
      flag: "--store-timeout <duration>",
      env: "MILLRACE_STORE_TIMEOUT",
      description:
        "end when the store, once reached, has not answered for so long; until then the tasks wait for it",
      parse: (given) => parseDuration(given),
      defaultText: "never",
    },
    Infinity,
  );
}
