export { clickEventSchema } from "./click-event.ts";
export { clickCodec, createClickCodec } from "./click-codec.ts";
export { createClickProjection } from "./click-projection.ts";
export { decodeFrame } from "./decode-frame.ts";
export { encodeFrame } from "./encode-frame.ts";
export { DEFAULT_FRAME_LIMITS, FRAME_MARKER, FRAME_VERSION } from "./frame.ts";
export { FrameEncodeError, InvalidOptionError } from "./errors.ts";

export type { ClickEvent } from "./click-event.ts";
export type { ClickCodecOptions } from "./click-codec.ts";
export type { ClickProjection, ProjectedClick } from "./click-projection.ts";
export type { Codec, DecodeFailure, DecodeFailureCode, DecodeResult, RawLine } from "./codec.ts";
export type { Frame, FrameFailure, FrameFailureCode, FrameHeader, FrameLimits } from "./frame.ts";
export type { FrameToEncode } from "./encode-frame.ts";
export type { UnknownFields } from "@millrace/json";
