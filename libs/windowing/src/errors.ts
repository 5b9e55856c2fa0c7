/** Base of all errors of this library. Branch on `code`, never on the message. */
export abstract class WindowingError extends Error {
  abstract readonly code: string;

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
  }
}

/** A windower or clock that cannot be: thrown when it is built. */
export class WindowSpecError extends WindowingError {
  static readonly code = "MILLRACE_WINDOW_SPEC";
  readonly code: string = WindowSpecError.code;
}

/** Options of an engine that are out of range or exclude each other: thrown when it is built. */
export class WindowOptionsError extends WindowingError {
  static readonly code = "MILLRACE_WINDOW_OPTIONS";
  readonly code: string = WindowOptionsError.code;
}

/** A batch whose columns differ in length: nothing of it was taken in. */
export class WindowBatchError extends WindowingError {
  static readonly code = "MILLRACE_WINDOW_BATCH";
  readonly code: string = WindowBatchError.code;
}

/** A snapshot that this engine cannot go on from: of another version, another specification, or damaged. */
export class WindowStateError extends WindowingError {
  static readonly code = "MILLRACE_WINDOW_STATE";
  readonly code: string = WindowStateError.code;
}
