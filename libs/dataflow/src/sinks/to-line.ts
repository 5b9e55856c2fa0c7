/** A row as one line, without a line break: strings and bytes as they are, anything else as JSON. */
export function toLine(row: unknown): string | Uint8Array {
  if (typeof row === "string" || row instanceof Uint8Array) return row;
  return JSON.stringify(row === undefined ? null : row);
}
