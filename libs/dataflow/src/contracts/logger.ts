/** The part of a structured logger that Millrace uses; a pino logger is one. */
export interface Logger {
  /** For those who look for a defect. */
  debug(fields: object, message: string): void;
  /** What an operator of the program may want to know. */
  info(fields: object, message: string): void;
  /** Something was dropped, lost or refused, and the flow goes on. */
  warn(fields: object, message: string): void;
  /** The flow cannot go on. */
  error(fields: object, message: string): void;
}

/** Says nothing. */
export const SILENT_LOGGER: Logger = { debug: nothing, info: nothing, warn: nothing, error: nothing };

function nothing(): void {
  // Silence is the point.
}
