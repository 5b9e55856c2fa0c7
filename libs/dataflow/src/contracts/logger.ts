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

/** Warnings and errors as lines on standard error, the rest nowhere: what a run logs unless it is given a logger. */
export const DEFAULT_LOGGER: Logger = {
  debug: nothing,
  info: nothing,
  warn: (fields, message) => {
    process.stderr.write(`millrace: warning: ${message} ${JSON.stringify(fields)}\n`);
  },
  error: (fields, message) => {
    process.stderr.write(`millrace: error: ${message} ${JSON.stringify(fields)}\n`);
  },
};

/** Says nothing. */
export const SILENT_LOGGER: Logger = { debug: nothing, info: nothing, warn: nothing, error: nothing };

function nothing(): void {
  // Silence is the point.
}
