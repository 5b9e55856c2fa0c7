import { integer, listOf, text, UsageError } from "@millrace/cli";
import type { CommandLine, InputSettings, Value } from "@millrace/cli";
import { parseDuration } from "@millrace/windowing/options";

/**
 * Declares the option that chooses tasks by the numbers of their partitions.
 *
 * The value is the names of those partitions, `undefined` for all; it throws a UsageError for a number that none has.
 */
export function taskOptions(
  cli: CommandLine,
  input: Value<InputSettings>,
): Value<readonly string[] | undefined> {
  const tasks = cli.option({
    flag: "--tasks <numbers>",
    env: "MILLRACE_TASKS",
    description: "which partitions to work on, such as 0,2; the others are left to other workers",
    parse: listOf(integer(0, 16_383)),
    defaultText: "all",
  });
  return () => {
    const { names, transport, channels } = input();
    const nameOf = (task: number): string =>
      transport === "kafka" ? `${channels[0] ?? ""}-${task}` : (names[task] ?? noPartition(task, input()));
    const chosen = tasks()?.map(nameOf);
    return chosen && [...new Set(chosen)];
  };
}

function noPartition(task: number, { channels, partitions, names }: InputSettings): never {
  const given = channels.length > 1 ? `--channel=${channels.join(",")}` : `--partitions=${partitions}`;
  throw new UsageError(
    `--tasks: there is no partition ${task}; with ${given} they are 0 to ${names.length - 1}`,
  );
}

/** Declares how long (ms) a store that was reached may be silent: `Infinity`, as long as it takes, unless given. */
export function storeTimeoutOption(cli: CommandLine): Value<number> {
  return cli.option(
    {
      flag: "--store-timeout <duration>",
      env: "MILLRACE_STORE_TIMEOUT",
      description: "end when the store has not answered for this time; before that, the tasks wait for it",
      parse: (given) => parseDuration(given),
      defaultText: "never",
    },
    Infinity,
  );
}

/**
 * Declares which steps' state may be deleted where the flow cannot continue from it.
 *
 * The value has a list for each time that the option is given.
 */
export function dropStateOption(cli: CommandLine): Value<readonly (readonly string[])[]> {
  return cli.list({
    flag: "--drop-state <steps>",
    env: "MILLRACE_DROP_STATE",
    description:
      "steps, by their ids, whose stored state is deleted where this version of the flow cannot continue from it: they are removed, or begin empty. State that it can continue from stays",
    parse: listOf(text),
    defaultText: "none: such a flow does not start",
  });
}

/** Declares how many keys state is kept for: `undefined`, by the limit of the heap. */
export function maxKeysOption(cli: CommandLine): Value<number | undefined> {
  return cli.option({
    flag: "--max-keys <number>",
    env: "MILLRACE_MAX_KEYS",
    description:
      "keys that this process keeps state for at most, each once for every open window that it is in; what comes beyond is counted under an overflow key",
    parse: integer(1, Number.MAX_SAFE_INTEGER),
    defaultText: "by the limit of the heap (--max-old-space-size)",
  });
}

/** Declares the name under which a flow's workers belong together: `undefined`, the flow's id. */
export function groupOption(cli: CommandLine): Value<string | undefined> {
  return cli.option({
    flag: "--group <name>",
    env: "MILLRACE_GROUP",
    description:
      "streams, kafka: consumer group that shows how far the tasks have come; with --share also the workers that share with each other",
    parse: text,
    defaultText: "the flow's id",
  });
}

/** Declares the version whose rows are kept beside others. */
export function resultsAsOption(cli: CommandLine): Value<string | undefined> {
  return cli.option({
    flag: "--results-as <version>",
    env: "MILLRACE_RESULTS_AS",
    description:
      "with --sink=redis: keep rows beside those of other versions, in hashes and streams named results:<output>@<version>",
    parse: (given) => {
      if (/^[A-Za-z0-9_.-]{1,100}$/.test(given)) return given;
      throw new RangeError(`${JSON.stringify(given)} is no version: give letters, digits, "_", "." or "-"`);
    },
    defaultText: "none",
  });
}
