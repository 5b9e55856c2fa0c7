/** Base class of all errors of this library. Branch on `code`, never on the message. */
export abstract class WindowingError extends Error {
  abstract readonly code: string;

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
  }
}

/** An invalid windower or clock: thrown when it is built, or when a user's own windower returns an invalid window. */
export class WindowSpecError extends WindowingError {
  static readonly code = "MILLRACE_WINDOW_SPEC";
  readonly code: string = WindowSpecError.code;
}

/** A text that is no duration. */
export class DurationError extends WindowingError {
  static readonly code = "MILLRACE_DURATION";
  readonly code: string = DurationError.code;
}

/** Options of an engine that are out of range or contradictory: thrown when it is built. */
export class WindowOptionsError extends WindowingError {
  static readonly code = "MILLRACE_WINDOW_OPTIONS";
  readonly code: string = WindowOptionsError.code;
}

/** A batch whose columns differ in length: none of its events was added. */
export class WindowBatchError extends WindowingError {
  static readonly code = "MILLRACE_WINDOW_BATCH";
  readonly code: string = WindowBatchError.code;
}

/** A snapshot that this engine cannot restore: of another version, another specification, or damaged. */
export class WindowStateError extends WindowingError {
  static readonly code = "MILLRACE_WINDOW_STATE";
  readonly code: string = WindowStateError.code;
}

/** A value that a fold does not accept, such as a missing number: the event was not added. */
export class FoldValueError extends WindowingError {
  static readonly code = "MILLRACE_FOLD_VALUE";
  readonly code: string = FoldValueError.code;
}

/** The size of an accumulator, and its bound. */
export interface AccumulatorSize extends ErrorOptions {
  /** The key of the accumulator. */
  readonly key?: string;
  /** Bytes of its JSON. */
  readonly bytes: number;
  readonly maxBytes: number;
}

/** An accumulator that is too large to be stored as one value: no snapshot was made. */
export class AccumulatorTooLargeError extends WindowingError {
  static readonly code = "MILLRACE_ACCUMULATOR_TOO_LARGE";
  readonly code: string = AccumulatorTooLargeError.code;
  readonly size: AccumulatorSize;

  constructor(message: string, size: AccumulatorSize) {
    super(message, size);
    this.size = size;
  }
}

/** The event on which a function threw, and its error. */
export interface WindowEventFailure<V> {
  readonly key: string;
  readonly value: V;
  readonly cause: unknown;
}

/** A function of the clock or the fold threw on an event; `cause` is its error. */
export class WindowEventError<V> extends WindowingError {
  static readonly code = "MILLRACE_WINDOW_EVENT";
  readonly code: string = WindowEventError.code;
  readonly key: string;
  readonly value: V;

  constructor(message: string, { key, value, cause }: WindowEventFailure<V>) {
    super(message, { cause });
    this.key = key;
    this.value = value;
  }
}

/** Thrown when an error leaves an event partly added: the engine must not be used any more. */
export class PartlyTaken extends Error {
  constructor(cause: unknown) {
    super(messageOf(cause), { cause });
  }
}

/** The message of any thrown value. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
