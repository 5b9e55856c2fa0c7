import type { Json } from "@millrace/windowing";
import { StateError } from "../errors.ts";

/** A stored position that is a count of bytes or events. @throws StateError for a position of another source */
export function offsetOf(source: string, position: Json): number {
  if (typeof position === "number" && Number.isSafeInteger(position) && position >= 0) return position;
  throw new StateError(
    `the position of ${source} is a number of what was read, not ${JSON.stringify(position)}; run the flow with the source that wrote it, or reset its state`,
  );
}
