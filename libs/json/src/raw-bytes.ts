import { Buffer, isUtf8 } from "node:buffer";

/** A code unit of a string takes at most three bytes of UTF-8 (a surrogate pair takes four, two for each half). */
const MAX_BYTES_PER_CODE_UNIT = 3;

/** Whether `raw` takes more than `maxBytes` as UTF-8; a text's bytes are counted only if its length does not decide. */
export function exceedsBytes(raw: string | Uint8Array, maxBytes: number): boolean {
  if (typeof raw !== "string") return raw.byteLength > maxBytes;
  if (raw.length * MAX_BYTES_PER_CODE_UNIT <= maxBytes) return false;
  return raw.length > maxBytes || byteLength(raw) > maxBytes;
}

/** The bytes that `raw` takes as UTF-8. */
export function byteLength(raw: string | Uint8Array): number {
  return typeof raw === "string" ? Buffer.byteLength(raw) : raw.byteLength;
}

const REPLACEMENT_CHARACTER = "\uFFFD";

/** The text of `bytes`, or undefined if they are not valid UTF-8. A byte order mark stays in the text. */
export function decodeUtf8(bytes: Uint8Array): string | undefined {
  const buffer = asBuffer(bytes);
  const text = buffer.toString();
  // Invalid bytes become replacement characters, so only texts that have one need the full check.
  return text.includes(REPLACEMENT_CHARACTER) && !isUtf8(buffer) ? undefined : text;
}

/** The same bytes, not a copy. */
function asBuffer(bytes: Uint8Array): Buffer {
  if (Buffer.isBuffer(bytes)) return bytes;
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
