import type { StandardSchemaV1 } from "@standard-schema/spec";
import { AsyncSchemaError } from "./errors.ts";

/** Any schema of the standard: what it takes and gives is checked by the caller's types. */
export type AnySchema = StandardSchemaV1;

/** What a schema says of a value, or what it threw instead. */
export type Verdict = StandardSchemaV1.Result<unknown> | Thrown;

/** Kept apart from every verdict by its class. */
export class Thrown {
  readonly error: unknown;

  constructor(error: unknown) {
    this.error = error;
  }
}

/**
 * Gives the verdict of a schema on a value.
 *
 * @throws {@link AsyncSchemaError} if there is none yet but a promise of one.
 */
export type Validate = (value: unknown) => Verdict;

export function validatorOf(schema: AnySchema): Validate {
  // Once: arktype makes it anew each time.
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

/** Zod gives a promise, too, where a synchronous check threw, so that is asked once more, in its own words. */
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
