import { json, type EventCodec, type JsonOptions, type LineDecoder } from "@millrace/json";
import { clickEventSchema, type ClickEvent } from "./click-event.ts";

/**
 * A codec for clicks, one JSON object a line.
 *
 * @throws `InvalidOptionError` of `@millrace/json` if an option is invalid.
 */
export function createClickCodec(options?: JsonOptions): EventCodec<ClickEvent> {
  return json(clickEventSchema, options);
}

/** The codec with its defaults. */
export const clickCodec: EventCodec<ClickEvent> = createClickCodec();

/**
 * A decoder for flows that read only some of a click's fields, at a fraction of the cost: `pick` of the codec with the
 * same options.
 *
 * @param fields which fields events have
 * @throws `InvalidOptionError` of `@millrace/json` if an option is invalid, or a click has no such field.
 */
export function createClickProjection<Field extends keyof ClickEvent>(
  fields: readonly Field[],
  options?: JsonOptions,
): LineDecoder<Pick<ClickEvent, Field>> {
  return createClickCodec(options).pick(...fields);
}
