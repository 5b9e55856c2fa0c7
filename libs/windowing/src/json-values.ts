import type { Json } from "./json.ts";

/** For values of which their owner has said that they are JSON. */
export function asJson<V>(value: V): Json {
  return value as Json;
}

export function fromJson<V>(json: Json): V {
  return json as V;
}

/** A copy that shares nothing with a value that is JSON. */
export function copyJson<V>(value: V): V {
  return typeof value === "object" && value !== null ? (JSON.parse(JSON.stringify(value)) as V) : value;
}
