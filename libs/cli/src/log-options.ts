import type { CommandLine, Value } from "./command-line.ts";
import { oneOf } from "./parsers.ts";

/** Levels of the log, from the lowest on. */
export const LEVELS = ["debug", "info", "warn", "error", "silent"] as const;
const FORMATS = ["auto", "pretty", "json"] as const;

/** Level of the log. */
export type LogLevel = (typeof LEVELS)[number];

/** Options of the log on stderr. */
export interface LogSettings {
  readonly level: LogLevel;
  /** `auto`: readable lines on a terminal, JSON lines elsewhere. */
  readonly format: (typeof FORMATS)[number];
  /** Warnings about the given options, logged first. `@default none` */
  readonly notes?: readonly string[] | undefined;
}

/** Used until the options are read, and by programs without these options. */
export const DEFAULT_LOG_SETTINGS: LogSettings = Object.freeze({ level: "info", format: "auto" });

/** Declares the options of the log. */
export function logOptions(cli: CommandLine): Value<LogSettings> {
  const level = cli.option(
    {
      flag: "--log-level <level>",
      env: "MILLRACE_LOG_LEVEL",
      description: `lowest level that is logged on stderr: ${LEVELS.join(", ")}`,
      parse: oneOf(LEVELS),
    },
    DEFAULT_LOG_SETTINGS.level,
  );
  const format = cli.option(
    {
      flag: "--log-format <format>",
      env: "MILLRACE_LOG_FORMAT",
      description: `format of the log: ${FORMATS.join(", ")}; auto is pretty on a terminal and json elsewhere`,
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
