import type { Json } from "@millrace/dataflow";

/** A position as it comes back from a store. */
export function stored(position: Json): Json {
  return JSON.parse(JSON.stringify(position)) as Json;
}
