import type { StandardSchemaV1 } from "@standard-schema/spec";
import { AsyncSchemaError } from "./errors.ts";

/** Any schema of the standard: the caller's types check its input and output. */
export type AnySchema = StandardSchemaV1;

/** What a schema returns for a value, or what it threw. */
export type Verdict = StandardSchemaV1.Result<unknown> | Thrown;

/** A class, so that no verdict can look like it. */
export class Thrown {
  readonly error: unknown;

  constructor(error: unknown) {
    this.error = error;
  }
}

/** Validates a value. @throws {@link AsyncSchemaError} if the schema returns a promise */
export type Validate = (value: unknown) => Verdict;

export function validatorOf(schema: AnySchema): Validate {
  // Once: arktype builds it anew each time.
  const standard = schema["~standard"];
  return (value) => {
    let verdict: StandardSchemaV1.Result<unknown> | Promise<StandardSchemaV1.Result<unknown>>;
    try {
      verdict = standard.validate(value);
    } catch (error) {
      return new Thrown(error);
    }
    return "then" in verdict ? withoutWaiting(schema, value, verdict) : verdict;
  };
}

/** Zod also returns a promise if a synchronous check threw, so its own synchronous method is called. */
function withoutWaiting(schema: AnySchema, value: unknown, promise: Promise<unknown>): Thrown {
  promise.catch(() => undefined);
  const thrown = isZod(schema) ? thrownBy(schema, value) : undefined;
  if (thrown === undefined || isZodAsync(thrown.error))
    throw new AsyncSchemaError(schema["~standard"].vendor);
  return thrown;
}

interface ZodLike {
  readonly safeParse: (value: unknown) => unknown;
}

function isZod(schema: AnySchema): schema is AnySchema & ZodLike {
  return (
    schema["~standard"].vendor === "zod" && "safeParse" in schema && typeof schema.safeParse === "function"
  );
}

function thrownBy(schema: ZodLike, value: unknown): Thrown | undefined {
  try {
    schema.safeParse(value);
  } catch (error) {
    return new Thrown(error);
  }
  return undefined;
}

function isZodAsync(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith("Encountered Promise during synchronous parse");
}
