import type { Json, JsonCodec } from "./json.ts";

/** For values of which their owner has said that they are JSON. */
export class Verbatim<T> implements JsonCodec<T> {
  snapshot(value: T): Json {
    return value as Json;
  }

  restore(state: Json): T {
    return state as T;
  }
}

/** A copy that shares nothing with a value that is JSON. */
export function copyJson<T>(value: T): T {
  return typeof value === "object" && value !== null ? (JSON.parse(JSON.stringify(value)) as T) : value;
}
