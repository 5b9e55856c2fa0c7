/** Characters of an event or payload that an error or a dead letter shows. */
export const EXCERPT_LENGTH = 200;
/** Characters of a payload that is logged. */
export const PAYLOAD_LENGTH = 1_024;

/** A short, printable form of any value. */
export function excerpt(value: unknown, length: number = EXCERPT_LENGTH): string {
  const text = toText(value, length);
  return text.length > length ? `${text.slice(0, length)}…` : text;
}

/** A value as text, in full. */
export function wholeText(value: unknown): string {
  return toText(value, Infinity);
}

function toText(value: unknown, length: number): string {
  if (typeof value === "string") return value;
  // A character takes at most four bytes, so the cut never removes what is shown.
  if (value instanceof Uint8Array) return new TextDecoder().decode(value.subarray(0, 4 * length));
  // These three have no JSON form.
  if (value === undefined || typeof value === "function" || typeof value === "symbol") return typeof value;
  try {
    return JSON.stringify(value, bytesAsText);
  } catch {
    return Object.prototype.toString.call(value);
  }
}

/** A line of bytes that is part of an event is shown as a line, not as a list of numbers. */
function bytesAsText(_: string, value: unknown): unknown {
  return value instanceof Uint8Array ? new TextDecoder().decode(value) : value;
}
