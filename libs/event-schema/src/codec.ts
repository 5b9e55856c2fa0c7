export type {
  Codec,
  DecodeFailure,
  DecodeFailureCode,
  DecodeResult,
  LineDecoder,
  RawLine,
} from "@millrace/json";
