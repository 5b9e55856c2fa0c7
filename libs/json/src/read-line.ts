import { malformed, type DecodeFailure, type DecodeResult, type LineDecoder, type RawLine } from "./codec.ts";
import { duplicateName } from "./duplicate-names.ts";
import type { JsonOptions } from "./options.ts";
import { byteLength, decodeUtf8, exceedsBytes } from "./raw-bytes.ts";
import { quoteName } from "./shape-failure.ts";

const BLANK: DecodeResult<never> = Object.freeze({ kind: "blank" });
const OPEN_BRACE = 0x7b;
/** JSON's white space only; `trim` would remove more, such as a byte order mark. */
const BLANK_LINE = /^[ \t\r\n]*$/;

/**
 * A decoder that checks what needs no schema (size, UTF-8, JSON, names), and leaves the rest to `judge`.
 *
 * @param judge the result for a JSON value; must not throw
 */
export function lineReader<T>(
  { maxEventBytes, duplicateNames }: Required<JsonOptions>,
  judge: (value: unknown) => DecodeResult<T>,
): LineDecoder<T>["decode"] {
  return (raw) => {
    if (exceedsBytes(raw, maxEventBytes)) return malformed(tooLarge(raw, maxEventBytes));
    const text = typeof raw === "string" ? raw : decodeUtf8(raw);
    if (text === undefined) return malformed(INVALID_UTF8);
    // The first character is enough for nearly every line; the pattern costs 2 % of a decode.
    if (text.charCodeAt(0) !== OPEN_BRACE && BLANK_LINE.test(text)) return BLANK;
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch (error) {
      return malformed(invalidJson(error));
    }
    const twice = duplicateNames === "refuse" ? duplicateName(text) : undefined;
    return twice === undefined ? judge(value) : malformed(givenTwice(twice));
  };
}

const INVALID_UTF8: DecodeFailure = Object.freeze({
  code: "invalid-utf8",
  message: "the line's bytes are not valid UTF-8",
});

function tooLarge(raw: RawLine, maxBytes: number): DecodeFailure {
  const bytes = byteLength(raw);
  return { code: "too-large", message: `the line has ${bytes} bytes; at most ${maxBytes} are allowed` };
}

function invalidJson(error: unknown): DecodeFailure {
  return { code: "invalid-json", message: error instanceof Error ? error.message : String(error) };
}

function givenTwice(path: string): DecodeFailure {
  return { code: "duplicate-name", path, message: `field ${quoteName(path)} is given twice` };
}
