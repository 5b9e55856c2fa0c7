import { FRAME_MARKER, FRAME_VERSION, type FrameFailure, type FrameHeader } from "./frame.ts";

const START = `${FRAME_MARKER}${FRAME_VERSION} `;
/** Bounds of length are looked at behind the match: counting on the way triples its cost. */
const NAME = "[A-Za-z0-9._:-]+";
const LONGEST_NAME = 64;
const PRODUCER_RULE = "producer must be 1 to 64 of A-Z a-z 0-9 . _ : -";
/** Numbers have one spelling each, so that equal headers are equal bytes. */
const NUMBER = String.raw`0|[1-9]\d*`;
const PRODUCER = new RegExp(`^${NAME}$`);
/** A whole header with what ends it. */
const HEADER = new RegExp(`^${START}(${NAME}) (${NUMBER}) (${NUMBER}) (${NUMBER})(\\n|$)`);
const VERSION = /^[^ \n]{1,16}(?=[ \n]|$)/;
/** The end of what Date can hold: a time past it would throw in whoever prints it. */
const MAX_TIME_MS = 8.64e15;

/** The header line of a frame, without its line end. */
export function formatFrameHeader({ producer, first, count, publishedAtMs }: FrameHeader): string {
  return `${START}${producer} ${first} ${count} ${publishedAtMs}`;
}

/** A header, and where the lines begin behind it; undefined where nothing follows, not even a line end. */
export interface HeaderInText extends FrameHeader {
  readonly linesAt: number | undefined;
}

/** Reads the header at the start of a text that starts with {@link FRAME_MARKER}. */
export function readFrameHeader(text: string): HeaderInText | FrameFailure {
  const match = HEADER.exec(text);
  if (match === null) return strange(text);
  // By index: to take an array apart by its iterator costs as much as the match.
  const header = {
    producer: match[1] ?? "",
    first: Number(match[2]),
    count: Number(match[3]),
    publishedAtMs: Number(match[4]),
    linesAt: match[5] === "" ? undefined : match[0].length,
  };
  const fault = faultOfValues(header);
  return fault === undefined ? header : { code: "bad-header", message: fault };
}

/** What is wrong with a header's values, if anything is. */
export function faultOf(header: FrameHeader): string | undefined {
  return PRODUCER.test(header.producer) ? faultOfValues(header) : PRODUCER_RULE;
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

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}

function strange(text: string): FrameFailure {
  if (text.startsWith(START)) {
    return {
      code: "bad-header",
      message: `a header is "${START}<producer> <first> <count> <publishedAtMs>"`,
    };
  }
  const version = VERSION.exec(text.slice(FRAME_MARKER.length))?.[0] ?? "";
  if (version === String(FRAME_VERSION) || !/^\d+$/.test(version)) {
    return { code: "bad-header", message: `"${FRAME_MARKER}" must be followed by a version and a space` };
  }
  return {
    code: "unknown-version",
    message: `the frame has version ${version}, this reader knows version ${FRAME_VERSION}; update the reader`,
  };
}
