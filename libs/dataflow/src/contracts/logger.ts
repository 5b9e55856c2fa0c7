import { STDERR_LINES } from "../log-lines.ts";

/** The part of a structured logger that Millrace uses; a pino logger is one. */
export interface Logger {
  /** Debug level. */
  debug(fields: object, message: string): void;
  /** Information for the operator of the program. */
  info(fields: object, message: string): void;
  /** Something was dropped, lost or refused; the flow continues. */
  warn(fields: object, message: string): void;
  /** The flow cannot continue. */
  error(fields: object, message: string): void;
}

/**
 * The default logger of a run: warnings and errors as lines on standard error, nothing else. A line that cannot be
 * written is dropped.
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

/** Discards everything. */
export const SILENT_LOGGER: Logger = { debug: nothing, info: nothing, warn: nothing, error: nothing };

/** Formats fields. They may hold values that have no JSON form, such as a cycle. */
function fieldsOf(fields: object): string {
  try {
    return JSON.stringify(fields);
  } catch {
    return "";
  }
}

function nothing(): void {
  // Intentionally empty.
}
