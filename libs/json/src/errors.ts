/** An invalid option, such as a negative limit: the program must be fixed, not the data. */
export class InvalidOptionError extends Error {
  static readonly code = "MILLRACE_JSON_INVALID_OPTION";
  readonly code: typeof InvalidOptionError.code = InvalidOptionError.code;
  readonly retryable = false;
  override readonly name = "InvalidOptionError";
}

/** A schema that returns a promise: a line is decoded synchronously. */
export class AsyncSchemaError extends Error {
  static readonly code = "MILLRACE_JSON_ASYNC_SCHEMA";
  readonly code: typeof AsyncSchemaError.code = AsyncSchemaError.code;
  readonly retryable = false;
  override readonly name = "AsyncSchemaError";

  /** @param vendor the name that the library of the schema gives itself */
  constructor(vendor: string) {
    super(
      `the schema (${vendor}) validates asynchronously, and lines are decoded synchronously; ` +
        "move what is asynchronous from the schema into a step after decode",
    );
  }
}

/** More than a string can hold, and small enough for the sums and array lengths that limits go into. */
const MAX_LIMIT = 2 ** 31 - 1;

/** Throws {@link InvalidOptionError} unless `value` can serve as a bound. */
export function requireLimit(name: string, value: number): void {
  if (Number.isInteger(value) && value >= 1 && value <= MAX_LIMIT) return;
  throw new InvalidOptionError(`${name} is ${value}; give a whole number from 1 to ${MAX_LIMIT}`);
}
