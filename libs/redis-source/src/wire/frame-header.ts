import { FRAME_MARKER, FRAME_VERSION } from "./frame.ts";
import type { FrameFailure, FrameHeader } from "./frame.ts";

const START = `${FRAME_MARKER}${FRAME_VERSION} `;
/** The length is checked after the match: a counted repetition triples the cost of the match. */
const NAME = "[A-Za-z0-9._:-]+";
const LONGEST_NAME = 64;
const PRODUCER_RULE = "producer must be 1 to 64 of A-Z a-z 0-9 . _ : -";
/** Each number has one spelling, so that equal headers have equal bytes. */
const NUMBER = String.raw`0|[1-9]\d*`;
const PRODUCER = new RegExp(`^${NAME}$`);
/** A whole header and its end. */
const HEADER = new RegExp(`^${START}(${NAME}) (${NUMBER}) (${NUMBER}) (${NUMBER})(\\n|$)`);
/** A header with attributes: tried only if the plain form does not match, so that frames with events pay nothing. */
const HEADER_WITH_ATTRIBUTES = new RegExp(
  `^${START}(${NAME}) (${NUMBER}) (${NUMBER}) (${NUMBER})((?: [^ =\\n]+=[^ =\\n]+)+)(\\n|$)`,
);
const MOST_ATTRIBUTES = 8;
/** A key cannot be `__proto__`, nor look like an array index, which would change the order of a record's keys. */
const ATTRIBUTE_KEY = /^[a-z][a-z0-9-]{0,31}$/;
const ATTRIBUTE_VALUE = /^[A-Za-z0-9._:,;/@%+-]{1,256}$/;
const VERSION = /^[^ \n]{1,16}(?=[ \n]|$)/;
/** The last time that Date can hold: to print a later one would throw. */
const MAX_TIME_MS = 8.64e15;

/** The header line of a frame, without its line break. */
export function formatFrameHeader({
  producer,
  first,
  count,
  publishedAtMs,
  attributes,
}: FrameHeader): string {
  const plain = `${START}${producer} ${first} ${count} ${publishedAtMs}`;
  if (attributes === undefined) return plain;
  // Sorted, so that a header has one spelling for any order of its attributes.
  return [
    plain,
    ...Object.keys(attributes)
      .sort()
      .map((key) => `${key}=${attributes[key] ?? ""}`),
  ].join(" ");
}

/** A header, and where the lines begin after it; undefined if nothing follows, not even a line break. */
export interface HeaderInText extends FrameHeader {
  readonly linesAt: number | undefined;
}

/** Reads the header at the start of a text that starts with {@link FRAME_MARKER}. */
export function readFrameHeader(text: string): HeaderInText | FrameFailure {
  const match = HEADER.exec(text);
  if (match === null) return readWithAttributes(text);
  // By index: destructuring the array by its iterator costs as much as the match.
  const header = {
    producer: match[1] ?? "",
    first: Number(match[2]),
    count: Number(match[3]),
    publishedAtMs: Number(match[4]),
    linesAt: match[5] === "" ? undefined : match[0].length,
  };
  const fault = faultOfValues(header);
  return fault === undefined ? header : badHeader(fault);
}

function readWithAttributes(text: string): HeaderInText | FrameFailure {
  const match = HEADER_WITH_ATTRIBUTES.exec(text);
  if (match === null) return strange(text);
  const [whole, producer = "", first, count, publishedAtMs, list = "", end] = match;
  const attributes: Record<string, string> = {};
  // A key such as "constructor" must not be found if the producer did not write it.
  Object.setPrototypeOf(attributes, null);
  let last = "";
  for (const pair of list.slice(1).split(" ", MOST_ATTRIBUTES + 1)) {
    const [key = "", value = ""] = pair.split("=");
    if (key <= last) return badHeader("attributes must be sorted by their keys, each key once");
    attributes[key] = value;
    last = key;
  }
  const header = {
    producer,
    first: Number(first),
    count: Number(count),
    publishedAtMs: Number(publishedAtMs),
    attributes,
    linesAt: end === "" ? undefined : whole.length,
  };
  const fault = faultOfValues(header) ?? faultOfAttributes(header);
  return fault === undefined ? header : badHeader(fault);
}

/** What is wrong with a header's values; `undefined`: nothing. */
export function faultOf(header: FrameHeader): string | undefined {
  if (!PRODUCER.test(header.producer)) return PRODUCER_RULE;
  return faultOfValues(header) ?? faultOfAttributes(header);
}

function faultOfValues({ producer, first, count, publishedAtMs }: FrameHeader): string | undefined {
  if (producer.length > LONGEST_NAME) return PRODUCER_RULE;
  if (!isCount(first)) return `first is ${first}; it must be a whole number from 0 on`;
  if (!isCount(first + count)) return `first + count is ${first + count}, too large to be counted exactly`;
  if (!isCount(publishedAtMs) || publishedAtMs > MAX_TIME_MS) {
    return `publishedAtMs is ${publishedAtMs}; it must be whole milliseconds since 1970`;
  }
  return undefined;
}

function faultOfAttributes({ count, attributes }: FrameHeader): string | undefined {
  if (attributes === undefined) return undefined;
  const entries = Object.entries(attributes);
  if (entries.length === 0) return undefined;
  if (count > 0) return "attributes are allowed in a frame without lines only";
  if (entries.length > MOST_ATTRIBUTES) return `there are more than ${MOST_ATTRIBUTES} attributes`;
  for (const [key, value] of entries) {
    if (!ATTRIBUTE_KEY.test(key)) {
      return `an attribute's key must be 1 to 32 of a-z 0-9 -, starting with a letter`;
    }
    if (!ATTRIBUTE_VALUE.test(value)) {
      return `attribute ${key} must be 1 to 256 of A-Z a-z 0-9 . _ : , ; / @ % + -`;
    }
  }
  return undefined;
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}

function badHeader(message: string): FrameFailure {
  return { code: "bad-header", message };
}

function strange(text: string): FrameFailure {
  if (text.startsWith(START)) {
    return badHeader(`a header is "${START}<producer> <first> <count> <publishedAtMs>"`);
  }
  const version = VERSION.exec(text.slice(FRAME_MARKER.length))?.[0] ?? "";
  if (version === String(FRAME_VERSION) || !/^\d+$/.test(version)) {
    return badHeader(`"${FRAME_MARKER}" must be followed by a version and a space`);
  }
  return {
    code: "unknown-version",
    message: `the frame has version ${version}, this reader knows version ${FRAME_VERSION}; update the reader`,
  };
}
