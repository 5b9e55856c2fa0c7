/** An option that is invalid, such as a negative limit: the program must be mended, not the data. */
export class InvalidOptionError extends Error {
  static readonly code = "MILLRACE_JSON_INVALID_OPTION";
  readonly code: typeof InvalidOptionError.code = InvalidOptionError.code;
  readonly retryable = false;
  override readonly name = "InvalidOptionError";
}

/** A schema that gives its verdict as a promise: a line is decoded at once, so there is nothing to wait with. */
export class AsyncSchemaError extends Error {
  static readonly code = "MILLRACE_JSON_ASYNC_SCHEMA";
  readonly code: typeof AsyncSchemaError.code = AsyncSchemaError.code;
  readonly retryable = false;
  override readonly name = "AsyncSchemaError";

  /** @param vendor the library of the schema, as it names itself */
  constructor(vendor: string) {
    super(
      `the schema (${vendor}) validates asynchronously, and a line is decoded at once; ` +
        "take what is asynchronous out of the schema and into a step of its own after decode",
    );
  }
}
