interface Level {
  /** The names of the object so far; undefined in a list. */
  readonly names: Set<string> | undefined;
  /** The name whose value is being read. */
  at: string;
}

/** The next character that is no white space is a colon. */
const COLON = /[ \t\r\n]*:/y;

/** The path of the first name that an object in `text` has twice; undefined if there is none. @param text valid JSON */
export function duplicateName(text: string): string | undefined {
  const levels: Level[] = [];
  for (let i = 0; i < text.length; i += 1) {
    const character = text[i];
    if (character === "{") levels.push({ names: new Set(), at: "" });
    else if (character === "[") levels.push({ names: undefined, at: "[]" });
    else if (character === "}" || character === "]") levels.pop();
    else if (character === '"') {
      const start = i + 1;
      i = closingQuote(text, start);
      COLON.lastIndex = i + 1;
      const level = levels.at(-1);
      if (level?.names === undefined || !COLON.test(text)) continue;
      level.at = unescaped(text.slice(start, i));
      if (level.names.has(level.at)) return levels.map(({ at }) => at).join(".");
      level.names.add(level.at);
    }
  }
  return undefined;
}

/** Not by a pattern: those run out of stack on a text of many megabytes. */
function closingQuote(text: string, start: number): number {
  let quote = text.indexOf('"', start);
  while (isEscaped(text, quote)) quote = text.indexOf('"', quote + 1);
  return quote;
}

function isEscaped(text: string, at: number): boolean {
  let backslashes = 0;
  while (text[at - 1 - backslashes] === "\\") backslashes += 1;
  return backslashes % 2 === 1;
}

/** Two spellings of a name are the same name. */
function unescaped(written: string): string {
  return written.includes("\\") ? String(JSON.parse(`"${written}"`)) : written;
}
