import type { CommandLine, Value } from "./command-line.ts";
import { oneOf } from "./parsers.ts";

const LEVELS = ["debug", "info", "warn", "error", "silent"] as const;
const FORMATS = ["auto", "pretty", "json"] as const;

/** How much is logged. */
export type LogLevel = (typeof LEVELS)[number];

/** What the log on stderr looks like. */
export interface LogSettings {
  readonly level: LogLevel;
  /** `auto`: for people on a terminal, JSON lines elsewhere. */
  readonly format: (typeof FORMATS)[number];
  /** What the user should know of the options that were given: said first. `@default nothing` */
  readonly notes?: readonly string[] | undefined;
}

/** Used until the options are read, and by whoever has none. */
export const DEFAULT_LOG_SETTINGS: LogSettings = Object.freeze({ level: "info", format: "auto" });

/** Declares the options of the log. */
export function logOptions(cli: CommandLine): Value<LogSettings> {
  const level = cli.option(
    {
      flag: "--log-level <level>",
      env: "MILLRACE_LOG_LEVEL",
      description: `how much is logged on stderr: ${LEVELS.join(", ")}`,
      parse: oneOf(LEVELS),
    },
    DEFAULT_LOG_SETTINGS.level,
  );
  const format = cli.option(
    {
      flag: "--log-format <format>",
      env: "MILLRACE_LOG_FORMAT",
      description: `form of the log: ${FORMATS.join(", ")}; auto is pretty on a terminal and JSON lines elsewhere`,
      parse: oneOf(FORMATS),
    },
    DEFAULT_LOG_SETTINGS.format,
  );
  return () => ({
    level: level(),
    format: format(),
    notes: cli.notes.length === 0 ? undefined : cli.notes,
  });
}
