export { json } from "./json.ts";
export { DEFAULT_JSON_OPTIONS } from "./options.ts";
export { AsyncSchemaError, InvalidOptionError } from "./errors.ts";

export type { StandardSchemaV1 } from "@standard-schema/spec";
export type { TrustedJsonOptions } from "./json.ts";
export type { DuplicateNames, JsonOptions, UnknownFields } from "./options.ts";
export type {
  Codec,
  DecodeFailure,
  DecodeFailureCode,
  DecodeResult,
  EventCodec,
  LineDecoder,
  RawLine,
} from "./codec.ts";
