import { WritableSink } from "@millrace/dataflow";
import type { Json, PartContext, Sink, SinkPartition } from "@millrace/dataflow";
import type { WindowResult } from "@millrace/windowing";
import type { RowOf } from "../flows/row-of.ts";

/** Rows of one window that are shown; a person who wants all of them sends the output to a file. */
const SHOWN_ROWS = 40;
/** Fields that the line of the window says already. */
const PROVENANCE = new Set(["window", "revision", "cause", "complete", "replaces"]);

/**
 * Results for a person at a terminal: a line for each window with its time, then its rows as a table, the highest
 * numbers first. Programs read the JSON lines of `StdoutSink`.
 */
export class TerminalSink implements Sink<WindowResult<unknown>> {
  readonly #lines: Sink<string>;
  readonly #rowOf: RowOf;

  /**
   * @param stream a terminal; it is not closed
   * @param rowOf what is shown of a result
   */
  constructor(stream: NodeJS.WriteStream, rowOf: RowOf) {
    this.#lines = new WritableSink<string>(stream);
    this.#rowOf = rowOf;
  }

  async buildPart(
    part: string,
    resume: Json | undefined,
    context: PartContext,
  ): Promise<SinkPartition<WindowResult<unknown>>> {
    const lines = await this.#lines.buildPart(part, resume, context);
    return {
      writeBatch: (rows) => lines.writeBatch(formatWindows(rows, this.#rowOf)),
      flush: () => lines.flush(),
      close: () => lines.close(),
    };
  }
}

/** Lines for results of any number of windows, in the order in which the windows appear. */
export function formatWindows(results: readonly WindowResult<unknown>[], rowOf: RowOf): readonly string[] {
  const windows = new Map<string, WindowResult<unknown>[]>();
  for (const row of results) {
    const title = titleOf(row);
    const known = windows.get(title);
    if (known === undefined) windows.set(title, [row]);
    else known.push(row);
  }
  return [...windows].flatMap(([title, members]) => [
    `${title}: ${summaryOf(members)}`,
    ...tableOf(members.map(rowOf)),
    "",
  ]);
}

/** Rows of a window that left for different reasons, such as a correction, are not one table. */
function titleOf({ window: { open, close }, cause, revision }: WindowResult<unknown>): string {
  const reason = REASONS[cause];
  const corrected = revision > 0 && cause !== "early" ? ", corrected" : "";
  return `${time(open)} – ${time(close)}${reason === "" ? "" : ` (${reason}${corrected})`}`;
}

const REASONS: Readonly<Record<WindowResult<unknown>["cause"], string>> = {
  watermark: "",
  early: "so far",
  late: "after a late event",
  end: "at the end of the input",
  drain: "stopped",
  match: "matched",
};

type Cells = readonly (readonly [name: string, value: unknown])[];

function tableOf(rows: readonly object[]): readonly string[] {
  const table = rows.map(cellsOf).sort(byNumbers);
  const shown = table.slice(0, SHOWN_ROWS);
  const texts = shown.map((cells) => cells.map(([, value]) => textOf(value)));
  const widths = (texts[0] ?? []).map((_, column) =>
    Math.max(...texts.map((row) => row[column]?.length ?? 0)),
  );
  const lines = texts.map((row, at) =>
    row
      .map((text, column) => {
        const value = shown[at]?.[column]?.[1];
        const width = widths[column] ?? 0;
        return typeof value === "number" ? text.padStart(width) : text.padEnd(width);
      })
      .join("  ")
      .trimEnd(),
  );
  const more = table.length - shown.length;
  return more > 0 ? [...lines.map(indent), indent(`and ${more} more`)] : lines.map(indent);
}

/** How many rows, and whether events are missing from them; all rows of a window have the same answer. */
function summaryOf(rows: readonly WindowResult<unknown>[]): string {
  const count = `${rows.length} ${rows.length === 1 ? "row" : "rows"}`;
  const complete = rows[0]?.complete ?? "unknown";
  if (complete === "unknown") return count;
  if (complete === true) return `${count}, complete`;
  const { atLeast, atMost } = complete;
  return `${count}, ${atLeast === atMost ? atLeast : `${atLeast} to ${atMost}`} events missing`;
}

function cellsOf(row: object): Cells {
  return Object.entries(row).filter(([name]) => !PROVENANCE.has(name));
}

/** By the first number, from the highest on. */
function byNumbers(a: Cells, b: Cells): number {
  return firstNumber(b) - firstNumber(a);
}

function firstNumber(cells: Cells): number {
  const found = cells.find(([, value]) => typeof value === "number")?.[1];
  return typeof found === "number" ? found : 0;
}

function textOf(value: unknown): string {
  if (typeof value === "number") return value.toLocaleString("en");
  return typeof value === "string" ? value : JSON.stringify(value);
}

function indent(line: string): string {
  return `  ${line}`;
}

function time(ms: number): string {
  const digits = ms % 1_000 === 0 ? {} : ({ fractionalSecondDigits: 3 } as const);
  return new Date(ms).toLocaleTimeString("en-GB", digits);
}
