import { exceedsBytes } from "./raw-bytes.ts";
import { createClickCodec, DEFAULT_CLICK_CODEC_OPTIONS, type ClickCodecOptions } from "./click-codec.ts";
import { clickEventSchema, type ClickEvent } from "./click-event.ts";
import type { Codec, DecodeResult, RawLine } from "./codec.ts";
import { InvalidOptionError } from "./errors.ts";
import { fieldWriter, type OpenClick } from "./field-writers.ts";
import { KnownLayouts, type LayoutMatch } from "./known-layouts.ts";

/** A click without the fields that a flow does not read. */
export type ProjectedClick<Field extends keyof ClickEvent> = Pick<ClickEvent, Field>;

/** Reads lines as a codec does, and returns some of their fields. Its function needs no `this`. */
export type ClickProjection<Field extends keyof ClickEvent> = Pick<Codec<ProjectedClick<Field>>, "decode">;

type UntypedClick = Partial<Record<keyof ClickEvent, string | boolean>>;

/**
 * A decoder for flows that read only some of a click's fields, at a fraction of the cost.
 *
 * Each line is checked as a whole, and accepted or refused exactly as by the codec with the same options. A line that
 * has the layout of earlier ones is not parsed; any other line goes to the codec.
 *
 * @param fields which fields events have
 * @throws {@link InvalidOptionError} if an option is invalid, or a click has no such field.
 */
export function createClickProjection<Field extends keyof ClickEvent>(
  fields: readonly Field[],
  options: ClickCodecOptions = {},
): ClickProjection<Field> {
  const { maxEventBytes = DEFAULT_CLICK_CODEC_OPTIONS.maxEventBytes } = options;
  const codec = createClickCodec(options);
  const wanted = [...new Set(fields)];
  for (const field of wanted) requireField(field);
  const layouts = new KnownLayouts(wanted);
  const writers = wanted.map(fieldWriter);
  // Copied for each event, so that all of them have one hidden class.
  const empty: OpenClick = Object.fromEntries(wanted.map((field) => [field, undefined]));

  function decode(raw: RawLine): DecodeResult<ProjectedClick<Field>> {
    if (typeof raw !== "string" || exceedsBytes(raw, maxEventBytes)) return decodeAsCodec(raw);
    const match = layouts.match(raw);
    return match === undefined ? decodeAsCodec(raw) : { kind: "event", event: eventOf(match) };
  }

  function eventOf({ values, groups }: LayoutMatch): ProjectedClick<Field> {
    const event = { ...empty };
    let i = 0;
    for (const write of writers) write(event, values[groups[i++] ?? 0] ?? "");
    return complete(event);
  }

  function decodeAsCodec(raw: RawLine): DecodeResult<ProjectedClick<Field>> {
    const result = codec.decode(raw);
    if (result.kind !== "event") return result;
    if (typeof raw === "string") layouts.learn(raw);
    const event: UntypedClick = { ...empty };
    for (const field of wanted) event[field] = result.event[field];
    return { kind: "event", event: complete(event) };
  }

  return { decode };
}

/** Every wanted field has been written, with a value of its type; the compiler cannot see that. */
function complete<Field extends keyof ClickEvent>(event: UntypedClick): ProjectedClick<Field> {
  return event as ProjectedClick<Field>;
}

function requireField(field: string): void {
  if (Object.hasOwn(clickEventSchema.shape, field)) return;
  throw new InvalidOptionError(`a click has no field "${field}"; give some of its own`);
}
