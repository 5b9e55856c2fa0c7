import type { RawLine } from "@millrace/dataflow";

/** A colon and a text without escapes. */
const PLAIN_VALUE = /\s*:\s*"([^"\\]*)"/y;

/**
 * The key by which lines are divided among partitions: the value of a field, found without parsing the line where it is
 * written plainly. A line without one may go anywhere, since it is malformed wherever it is read.
 */
export function keyOf(field: string): (line: RawLine) => string {
  const name = JSON.stringify(field);
  return (line) => {
    if (typeof line !== "string") return "";
    const at = line.indexOf(name);
    const end = at + name.length;
    // Twice: it may be a value, or part of something nested.
    if (at < 0 || line.includes(name, end)) return parsedKey(line, field);
    PLAIN_VALUE.lastIndex = end;
    return PLAIN_VALUE.exec(line)?.[1] ?? parsedKey(line, field);
  };
}

function parsedKey(line: string, field: string): string {
  const value = Object.entries(parsed(line)).find(([name]) => name === field)?.[1];
  return typeof value === "string" ? value : "";
}

function parsed(line: string): Readonly<Record<string, unknown>> {
  try {
    const event: unknown = JSON.parse(line);
    return typeof event === "object" && event !== null ? { ...event } : {};
  } catch {
    return {};
  }
}
