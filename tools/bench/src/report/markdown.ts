/** A column of a table: its heading, and what a row has in it. */
export interface Column<Row> {
  readonly heading: string;
  readonly text: (row: Row) => string | undefined;
}

/** Rows as a Markdown table that reads well as text; a column in which no row has anything is left out. */
export function markdownTable<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): string {
  const cells = columns
    .map(({ heading, text }) => [heading, ...rows.map((row) => text(row) ?? "")])
    .filter(([, ...texts]) => texts.some((text) => text !== ""));
  const widths = cells.map((column) => Math.max(3, ...column.map((cell) => cell.length)));
  const line = (at: number): string =>
    `| ${cells.map((column, index) => (column[at] ?? "").padEnd(widths[index] ?? 0)).join(" | ")} |`;
  const rule = `| ${widths.map((width) => "-".repeat(width)).join(" | ")} |`;
  return [line(0), rule, ...rows.map((_, index) => line(index + 1))].join("\n");
}

/** A number as people read it: thousands apart. */
export function readable(figure: number): string {
  return figure.toLocaleString("en-US");
}
