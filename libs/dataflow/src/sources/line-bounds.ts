import type { Json } from "@millrace/windowing";
import { StateError } from "../errors.ts";
import type { PartContext } from "../contracts/source.ts";
import type { Lines } from "./line-splitter.ts";
/** How lines are read. */
export interface LineOptions {
  /** Maximum length of a line, in bytes. A longer line is refused; only its head is kept. @default 1048576 */
  readonly maxLineBytes?: number;
  /** Bytes read at a time: the lines in them are one batch. @default 262144 */
  readonly chunkBytes?: number;
  /**
   * `text`: a line is text if it is valid UTF-8. `bytes`: every line stays bytes, a part of the chunk that was read, which
   * saves the making of text; it is for flows that pass lines on, since codecs refuse bytes. @default "text"
   */
  readonly as?: "text" | "bytes";
}

export const DEFAULT_LINE_OPTIONS: Required<LineOptions> = {
  maxLineBytes: 1_048_576,
  chunkBytes: 262_144,
  as: "text",
};

/** A stored position that is a count of bytes or events. @throws StateError for a position of another source */
export function offsetOf(source: string, position: Json): number {
  if (typeof position === "number" && Number.isSafeInteger(position) && position >= 0) return position;
  throw new StateError(
    `the stored position of ${source} is ${JSON.stringify(position)}, but must be a whole number from 0; run the flow with the source that wrote it, or reset its state`,
  );
}

/** Sends lines that are longer than `maxLineBytes` to the dead letter. */
export function rejectOversized(oversized: Lines["oversized"], context: PartContext): void {
  for (const { bytes, head } of oversized) {
    context.reject(head, {
      code: "too-large",
      message: `the line has ${bytes} bytes, more than maxLineBytes allows`,
    });
  }
}
