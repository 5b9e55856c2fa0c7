import { pino, stdTimeFunctions } from "pino";
import type { DestinationStream, Logger } from "pino";
import pretty from "pino-pretty";
import { STDERR_LINES } from "@millrace/dataflow";
import type { LogSettings } from "./log-options.ts";

/** Where log lines go: a stream that may be a terminal. */
export interface LogStream extends DestinationStream {
  readonly isTTY?: boolean;
  /** Of a terminal: whether colours are wanted there, by `NO_COLOR`, `FORCE_COLOR` and what the terminal is. */
  hasColors?(): boolean;
}

/**
 * A logger for one program. Lines are written at once, so that none is lost however the program ends; those that cannot
 * be written are counted and do nothing to the program.
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

/** One line each: the sentence, and beside it the fields where something is wrong. */
function prettyStream(stream: LogStream): DestinationStream {
  const look = {
    colorize: stream.isTTY === true && stream.hasColors?.() !== false,
    ignore: "name,event",
    translateTime: "SYS:HH:MM:ss.l",
    singleLine: true,
  };
  const withFields = pretty.prettyFactory(look);
  const sentence = pretty.prettyFactory({ ...look, singleLine: false, hideObject: true });
  // A progress bar may stand on the line: it gives way, and is drawn anew below.
  const clearLine = stream.isTTY === true ? "\r\u001b[K" : "";
  return {
    write: (line) => {
      const format = line.startsWith('{"level":"info"') ? sentence : withFields;
      stream.write(clearLine + format(line));
    },
  };
}
