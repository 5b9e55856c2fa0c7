import { pino, stdTimeFunctions } from "pino";
import type { DestinationStream, Logger } from "pino";
import pretty from "pino-pretty";
import { STDERR_LINES } from "@millrace/dataflow";
import type { LogSettings } from "./log-options.ts";

/** The stream for log lines, which may be a terminal. */
export interface LogStream extends DestinationStream {
  readonly isTTY?: boolean;
  /** Whether a terminal shows colours, by `NO_COLOR`, `FORCE_COLOR` and the kind of terminal. */
  hasColors?(): boolean;
}

/**
 * Creates the logger of a program. It writes lines synchronously, so that none is lost when the program ends. Lines that
 * cannot be written are counted and do not fail the program.
 *
 * @param name of the program
 * @param stream `@default standard error`
 */
export function createLogger(name: string, settings: LogSettings, stream: LogStream = STDERR_LINES): Logger {
  const forPeople = settings.format === "auto" ? stream.isTTY === true : settings.format === "pretty";
  return pino(
    {
      level: settings.level,
      base: { name },
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    forPeople ? prettyStream(stream) : stream,
  );
}

/** One line for each entry: the message, and the fields unless the level is info. */
function prettyStream(stream: LogStream): DestinationStream {
  const look = {
    colorize: stream.isTTY === true && stream.hasColors?.() !== false,
    ignore: "name,event",
    translateTime: "SYS:HH:MM:ss.l",
    singleLine: true,
  };
  const withFields = pretty.prettyFactory(look);
  const sentence = pretty.prettyFactory({ ...look, singleLine: false, hideObject: true });
  // Clears a progress bar on the current line; the bar is drawn again below.
  const clearLine = stream.isTTY === true ? "\r\u001b[K" : "";
  return {
    write: (line) => {
      const format = line.startsWith('{"level":"info"') ? sentence : withFields;
      stream.write(clearLine + format(line));
    },
  };
}
