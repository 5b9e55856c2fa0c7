import type { Json } from "@millrace/dataflow";

/** A position as a store returns it. */
export function stored(position: Json): Json {
  return JSON.parse(JSON.stringify(position)) as Json;
}
