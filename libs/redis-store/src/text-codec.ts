// With the u flag a pair of surrogates is one character, so this finds the lonely ones.
const LONELY_SURROGATE = /\p{Surrogate}/u;
const QUOTE = '"';

/**
 * Any JavaScript text as text that UTF-8 can carry, so that two names stay two. JSON lets keys have a lonely
 * surrogate, which UTF-8 has not; such text is written as a JSON string, and so is text that would look like one.
 */
export function encodeText(text: string): string {
  return text.startsWith(QUOTE) || LONELY_SURROGATE.test(text) ? JSON.stringify(text) : text;
}

/** What {@link encodeText} was given. */
export function decodeText(stored: string): string {
  if (!stored.startsWith(QUOTE)) return stored;
  const text: unknown = JSON.parse(stored);
  return typeof text === "string" ? text : stored;
}
