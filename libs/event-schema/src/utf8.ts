import { Buffer, isUtf8 } from "node:buffer";

/** The text of `bytes`, or undefined where they are not valid UTF-8. A byte order mark stays in the text. */
export function decodeUtf8(bytes: Uint8Array): string | undefined {
  return isUtf8(bytes) ? asBuffer(bytes).toString() : undefined;
}

/** `bytes` as text with one character, U+0000 to U+00FF, for each byte. */
export function latin1Of(bytes: Uint8Array): string {
  return asBuffer(bytes).toString("latin1");
}

/** The same bytes, not a copy. */
function asBuffer(bytes: Uint8Array): Buffer {
  if (Buffer.isBuffer(bytes)) return bytes;
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
