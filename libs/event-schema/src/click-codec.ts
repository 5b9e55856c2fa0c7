import { json, type JsonCodec, type JsonOptions } from "@millrace/json";
import { clickEventSchema, type ClickEvent } from "./click-event.ts";

/** How a click codec reads its lines. */
export type ClickCodecOptions = JsonOptions;

/**
 * A codec for clicks, one JSON object a line.
 *
 * @throws {@link InvalidOptionError} if an option is invalid.
 */
export function createClickCodec(options?: ClickCodecOptions): JsonCodec<ClickEvent> {
  return json(clickEventSchema, options);
}

/** The codec with its defaults. */
export const clickCodec: JsonCodec<ClickEvent> = createClickCodec();
