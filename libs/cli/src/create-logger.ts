import { STDERR_LINES } from "@millrace/dataflow/options";
import type { Logger } from "@millrace/dataflow";
import { LEVELS } from "./log-options.ts";
import type { LogLevel, LogSettings } from "./log-options.ts";

/** The stream for log lines, which may be a terminal. */
export interface LogStream {
  readonly isTTY?: boolean;
  /** Whether a terminal shows colours, by `NO_COLOR`, `FORCE_COLOR` and the kind of terminal. */
  hasColors?(): boolean;
  write(line: string): void;
}

type Level = Exclude<LogLevel, "silent">;

/** Makes the line of an entry, with its line end. */
type Format = (level: Level, fields: object, message: string) => string;

/**
 * Creates the logger of a program. It writes lines synchronously, so that none is lost when the program ends. Lines that
 * cannot be written are counted and do not fail the program.
 *
 * @param name of the program
 * @param stream `@default standard error`
 */
export function createLogger(name: string, settings: LogSettings, stream: LogStream = STDERR_LINES): Logger {
  const forPeople = settings.format === "auto" ? stream.isTTY === true : settings.format === "pretty";
  const format = forPeople ? lineForPeople(stream) : lineOfJson(name);
  const least = LEVELS.indexOf(settings.level);
  const at =
    (level: Level) =>
    (fields: object, message: string): void => {
      if (LEVELS.indexOf(level) >= least) stream.write(format(level, fields, message));
    };
  return { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") };
}

function lineOfJson(name: string): Format {
  return (level, fields, msg) => {
    const time = new Date().toISOString();
    return `${jsonOf({ level, time, name, ...fields, msg })}\n`;
  };
}

const COLOURS: Readonly<Record<Level, number>> = { debug: 34, info: 32, warn: 33, error: 31 };
const MESSAGE_COLOUR = 36;

/** One line for each entry: the message, and the fields unless the level is info. */
function lineForPeople(stream: LogStream): Format {
  const colourful = stream.isTTY === true && stream.hasColors?.() !== false;
  const paint = (text: string, colour: number): string =>
    colourful ? `\u001b[${colour}m${text}\u001b[39m` : text;
  // Clears a progress bar on the current line; the bar is drawn again below.
  const clearLine = stream.isTTY === true ? "\r\u001b[K" : "";
  return (level, fields, message) => {
    const shown = Object.entries(fields).filter(([field]) => field !== "event");
    const rest = level === "info" || shown.length === 0 ? "" : ` ${jsonOf(Object.fromEntries(shown))}`;
    const heading = `[${timeOfDay(new Date())}] ${paint(level.toUpperCase(), COLOURS[level])}`;
    return `${clearLine}${heading}: ${paint(message, MESSAGE_COLOUR)}${rest}\n`;
  };
}

/** Hours, minutes, seconds and milliseconds where the program runs. */
function timeOfDay(now: Date): string {
  const time = [now.getHours(), now.getMinutes(), now.getSeconds()].map((part) => digits(part, 2)).join(":");
  return `${time}.${digits(now.getMilliseconds(), 3)}`;
}

function digits(value: number, count: number): string {
  return String(value).padStart(count, "0");
}

/** Fields may have values without a JSON form, such as an error or a cycle. */
function jsonOf(entry: object): string {
  try {
    return JSON.stringify(entry, (_name, value: unknown) => (isError(value) ? partsOf(value) : value));
  } catch {
    const texts = Object.entries(entry).map(([field, value]) => [field, String(value)]);
    return JSON.stringify(Object.fromEntries(texts));
  }
}

function isError(value: unknown): value is Error {
  return value instanceof Error;
}

function partsOf({ name, message, stack, cause }: Error): object {
  return { type: name, message, stack, cause };
}
