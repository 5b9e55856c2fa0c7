interface Level {
  /** The names of the object so far; undefined in a list. */
  readonly names: Set<string> | undefined;
  /** The name whose value is being read. */
  at: string;
}

const QUOTE = 0x22;
const COLON = 0x3a;
const OPEN_LIST = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_LIST = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
const SPACE = 0x20;

/** The path of the first name that an object in `text` has twice; undefined if there is none. @param text valid JSON */
export function duplicateName(text: string): string | undefined {
  const levels: Level[] = [];
  let level: Level | undefined;
  for (let i = 0; i < text.length; i += 1) {
    switch (text.charCodeAt(i)) {
      case OPEN_OBJECT:
        levels.push((level = { names: new Set(), at: "" }));
        break;
      case OPEN_LIST:
        levels.push((level = { names: undefined, at: "[]" }));
        break;
      case CLOSE_OBJECT:
      case CLOSE_LIST:
        levels.pop();
        level = levels.at(-1);
        break;
      case QUOTE: {
        const start = i + 1;
        i = closingQuote(text, start);
        if (level?.names === undefined || !isName(text, i + 1)) break;
        level.at = unescaped(text.slice(start, i));
        if (level.names.has(level.at)) return levels.map(({ at }) => at).join(".");
        level.names.add(level.at);
      }
    }
  }
  return undefined;
}

/** Not with a regular expression, which runs out of stack on a text of many megabytes. */
function closingQuote(text: string, start: number): number {
  let quote = text.indexOf('"', start);
  while (isEscaped(text, quote)) quote = text.indexOf('"', quote + 1);
  return quote;
}

function isEscaped(text: string, at: number): boolean {
  let backslashes = 0;
  while (text.charCodeAt(at - 1 - backslashes) === BACKSLASH) backslashes += 1;
  return backslashes % 2 === 1;
}

/** Whether the text that ends before `at` has a colon after it. */
function isName(text: string, at: number): boolean {
  // Only JSON's white space can be here, and all of it is at or below a space.
  while (text.charCodeAt(at) <= SPACE) at += 1;
  return text.charCodeAt(at) === COLON;
}

/** Two spellings of a name are the same name. */
function unescaped(written: string): string {
  return written.includes("\\") ? String(JSON.parse(`"${written}"`)) : written;
}
