import { Buffer, isUtf8 } from "node:buffer";

const REPLACEMENT_CHARACTER = "\uFFFD";

/** The text of `bytes`, or undefined where they are not valid UTF-8. A byte order mark stays in the text. */
export function decodeUtf8(bytes: Uint8Array): string | undefined {
  const buffer = Buffer.isBuffer(bytes)
    ? bytes
    : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const text = buffer.toString();
  // What is not valid shows in the text, so that few lines need a second look.
  return text.includes(REPLACEMENT_CHARACTER) && !isUtf8(buffer) ? undefined : text;
}
