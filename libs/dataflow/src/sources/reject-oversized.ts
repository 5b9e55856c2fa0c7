import type { PartContext } from "../contracts/source.ts";
import type { Lines } from "./line-splitter.ts";

/** Sends lines above the bound to the dead letter. */
export function rejectOversized(oversized: Lines["oversized"], context: PartContext): void {
  for (const { bytes, head } of oversized) {
    context.reject(head, { code: "too-large", message: `a line of ${bytes} bytes is longer than the bound` });
  }
}
