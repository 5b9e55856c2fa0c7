import { Buffer, isUtf8 } from "node:buffer";

const REPLACEMENT_CHARACTER = "\uFFFD";

/** The text of `bytes`, or undefined where they are not valid UTF-8. A byte order mark stays in the text. */
export function decodeUtf8(bytes: Uint8Array): string | undefined {
  const buffer = asBuffer(bytes);
  const text = buffer.toString();
  // What is not valid shows in the text, so that few messages need a second look.
  return text.includes(REPLACEMENT_CHARACTER) && !isUtf8(buffer) ? undefined : text;
}

/** The same bytes, not a copy. */
function asBuffer(bytes: Uint8Array): Buffer {
  if (Buffer.isBuffer(bytes)) return bytes;
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
