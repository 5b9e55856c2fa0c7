export { InvalidOptionError } from "./errors.ts";
export { CLICK_TRANSPORT, clickEventSchema } from "./click-event.ts";
export { clickCodec, createClickCodec, DEFAULT_CLICK_CODEC_OPTIONS } from "./click-codec.ts";
export { createClickProjection } from "./click-projection.ts";

export type { ClickEvent } from "./click-event.ts";
export type { ClickCodecOptions } from "./click-codec.ts";
export type { ClickProjection, ProjectedClick } from "./click-projection.ts";
export type { Codec, DecodeFailure, DecodeFailureCode, DecodeResult, RawLine } from "./codec.ts";
export type { UnknownFields } from "./unknown-fields.ts";
