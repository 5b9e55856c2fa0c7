import { CommandLine, boolean, logOptions, oneOf, positive, text } from "@millrace/cli";
import type { Parser, ProgramConfig } from "@millrace/cli";

/** Configuration of a publisher under test. */
export interface PublisherSettings extends ProgramConfig {
  readonly url: string;
  readonly transport: "stream" | "pubsub";
  readonly file: string;
  readonly portion: number;
  readonly rate: number;
  /** Whether events are numbered. */
  readonly frames: boolean;
}

/** @throws UsageError */
export function publisherSettings(
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): PublisherSettings {
  const cli = new CommandLine("crash-publisher", "The publisher of the crash test.");
  const option = <T>(name: string, parse: Parser<T>, fallback: T, description: string): (() => T) =>
    cli.option(
      {
        flag: `--${name} <value>`,
        env: `CRASH_${name.toUpperCase().replaceAll("-", "_")}`,
        description,
        parse,
      },
      fallback,
    );
  const url = option("url", text, "", "URL of Redis");
  const transport = option(
    "transport",
    oneOf(["stream", "pubsub"] as const),
    "stream",
    "transport of events",
  );
  const file = option("file", text, "", "events, a line each");
  const portion = option("portion", positive, 1_000, "events published for each SIGUSR2");
  const rate = option("rate", positive, 4_000, "events a second");
  const frames = option("frames", boolean, true, "pack events into frames, with numbers");
  const log = logOptions(cli);
  cli.parse(args, env);
  return {
    url: url(),
    transport: transport(),
    file: file(),
    portion: portion(),
    rate: rate(),
    frames: frames(),
    log: log(),
  };
}
