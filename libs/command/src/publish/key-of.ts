import type { RawLine } from "@millrace/dataflow";

/** A colon and a string without escapes. */
const PLAIN_VALUE = /\s*:\s*"([^"\\]*)"/y;

/**
 * Returns a function that reads the partition key of a line: the value of a field. In the common case it does not parse the
 * line. A line without the field may go to any partition, since every reader finds it malformed.
 */
export function keyOf(field: string): (line: RawLine) => string {
  const name = JSON.stringify(field);
  return (line) => {
    if (typeof line !== "string") return "";
    const at = line.indexOf(name);
    const end = at + name.length;
    // The name occurs twice: once it may be a value, or a field of a nested object.
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
