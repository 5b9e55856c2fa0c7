import type { Json, JsonCodec } from "@millrace/windowing";
import { StateError } from "./errors.ts";
import { excerpt } from "./excerpt.ts";

/** Whether a round trip through JSON returns an equal value. */
export function isJson(value: unknown): value is Json {
  if (value === null || typeof value === "string" || typeof value === "boolean") return true;
  if (typeof value === "number") return Number.isFinite(value);
  if (Array.isArray(value)) return value.every(isJson);
  if (typeof value !== "object") return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return (prototype === Object.prototype || prototype === null) && Object.values(value).every(isJson);
}

/** A user's state as JSON: by its codec, or as it is. @throws StateError where it is not JSON */
export function stateToJson<S>(state: S, codec: JsonCodec<S> | undefined, where: string): Json {
  if (codec !== undefined) return codec.snapshot(state);
  if (isJson(state)) return state;
  throw new StateError(
    `${where}: the state is not plain JSON (${excerpt(state)}); give a codec for a Map, a Date or a class`,
  );
}
