import { STDERR_LINES } from "../log-lines.ts";

/** The part of a structured logger that Millrace uses; a pino logger is one. */
export interface Logger {
  /** Details for finding a defect. */
  debug(fields: object, message: string): void;
  /** What an operator of the program may want to know. */
  info(fields: object, message: string): void;
  /** Something was dropped, lost or refused, and the flow goes on. */
  warn(fields: object, message: string): void;
  /** The flow cannot go on. */
  error(fields: object, message: string): void;
}

/**
 * Warnings and errors as lines on standard error, the rest nowhere: what a run logs unless it is given a logger. A line
 * that cannot be written is left out.
 */
export const DEFAULT_LOGGER: Logger = {
  debug: nothing,
  info: nothing,
  warn: (fields, message) => {
    STDERR_LINES.write(`millrace: warning: ${message} ${fieldsOf(fields)}\n`);
  },
  error: (fields, message) => {
    STDERR_LINES.write(`millrace: error: ${message} ${fieldsOf(fields)}\n`);
  },
};

/** Says nothing. */
export const SILENT_LOGGER: Logger = { debug: nothing, info: nothing, warn: nothing, error: nothing };

/** Fields may hold what JSON has no form for, such as a circle. */
function fieldsOf(fields: object): string {
  try {
    return JSON.stringify(fields);
  } catch {
    return "";
  }
}

function nothing(): void {
  // Silence is the point.
}
