/** Base of all errors of this library. Branch on `code`, never on the message. */
export abstract class WindowingError extends Error {
  abstract readonly code: string;

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
  }
}

/** A windower or clock that cannot be: thrown when it is built, or where a windower of your own gives no usable window. */
export class WindowSpecError extends WindowingError {
  static readonly code = "MILLRACE_WINDOW_SPEC";
  readonly code: string = WindowSpecError.code;
}

/** A text that is no duration. */
export class DurationError extends WindowingError {
  static readonly code = "MILLRACE_DURATION";
  readonly code: string = DurationError.code;
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

/** A value that a fold cannot take, such as a number that is missing: the event was not taken in. */
export class FoldValueError extends WindowingError {
  static readonly code = "MILLRACE_FOLD_VALUE";
  readonly code: string = FoldValueError.code;
}

/** How large an accumulator is, and may be. */
export interface AccumulatorSize extends ErrorOptions {
  /** The key whose accumulator it is. */
  readonly key?: string;
  /** Bytes of its JSON. */
  readonly bytes: number;
  readonly maxBytes: number;
}

/** An accumulator that is too large to be kept as one value: nothing of the snapshot was made. */
export class AccumulatorTooLargeError extends WindowingError {
  static readonly code = "MILLRACE_ACCUMULATOR_TOO_LARGE";
  readonly code: string = AccumulatorTooLargeError.code;
  readonly size: AccumulatorSize;

  constructor(message: string, size: AccumulatorSize) {
    super(message, size);
    this.size = size;
  }
}

/** The event on which a function threw, and what it threw. */
export interface WindowEventFailure<V> {
  readonly key: string;
  readonly value: V;
  readonly cause: unknown;
}

/** A function of the clock or the fold threw on an event; `cause` is what it threw. */
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

/** Thrown where an error leaves an event half taken in: the engine must not be used any more. */
export class PartlyTaken extends Error {
  constructor(cause: unknown) {
    super(messageOf(cause), { cause });
  }
}

/** What any thrown value says. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
