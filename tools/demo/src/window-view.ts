import { bar, readable } from "./bars.ts";
import type { Screen } from "./screen.ts";

const TOP = 8;
const BAR_WIDTH = 32;
/** The rows of a window arrive together; after this time (ms) without a row the window is complete. */
const BURST_GAP_MS = 150;

/** Why a window closed early, by the row's cause. */
const WHY: Readonly<Record<string, string>> = { end: "the input is over", drain: "stopped" };

/** Whether events of the window are missing, by the row's `complete`. */
const COMPLETE: Readonly<Record<string, string>> = {
  true: "complete",
  false: "events are missing",
  unknown: "unknown whether complete",
};

/** A row of the aggregator, with `--meta`. */
export interface WindowRow {
  readonly timezone: string;
  readonly num_mobile_users: number;
  readonly window: { readonly open: number; readonly close: number };
  readonly cause: string;
  readonly complete: boolean | "unknown";
}

/** Parses a line of the aggregator's output; `undefined` if it is not a row of a window. */
export function parseRow(line: string): WindowRow | undefined {
  const row: unknown = JSON.parse(line);
  return isRow(row) ? row : undefined;
}

function isRow(value: unknown): value is WindowRow {
  return typeof value === "object" && value !== null && "timezone" in value && "window" in value;
}

/** Collects rows and shows each window as a whole. */
export class WindowView {
  readonly #screen: Screen;
  #rows: WindowRow[] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor(screen: Screen) {
    this.#screen = screen;
  }

  add(row: WindowRow): void {
    if (this.#rows[0] !== undefined && this.#rows[0].window.open !== row.window.open) this.flush();
    this.#rows.push(row);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.flush();
    }, BURST_GAP_MS);
  }

  /** Shows the collected rows. */
  flush(): void {
    clearTimeout(this.#timer);
    if (this.#rows.length > 0) this.#screen.line(tableOf(this.#rows, this.#screen).join("\n"));
    this.#rows = [];
  }
}

function tableOf(rows: readonly WindowRow[], screen: Screen): readonly string[] {
  const [first] = rows;
  if (first === undefined) return [];
  const ranked = rows.toSorted((a, b) => b.num_mobile_users - a.num_mobile_users);
  const most = ranked[0]?.num_mobile_users ?? 0;
  const total = rows.reduce((sum, row) => sum + row.num_mobile_users, 0);
  const width = Math.max(...ranked.slice(0, TOP).map(({ timezone }) => timezone.length));
  const { open, close } = first.window;
  const why = WHY[first.cause] ?? "its time is over";
  const others = ranked.length - TOP;
  const trust = COMPLETE[String(first.complete)] ?? "";
  return [
    screen.style("bold", `  Window ${clock(open)} – ${clock(close)}`) +
      screen.style(
        "dim",
        `  (${why}; ${trust}): ${readable(total)} mobile events in ${rows.length} time zones`,
      ),
    ...ranked
      .slice(0, TOP)
      .map(
        ({ timezone, num_mobile_users: count }) =>
          `    ${timezone.padEnd(width)}  ${screen.style("cyan", bar(count, most, BAR_WIDTH))} ${readable(count)}`,
      ),
    ...(others > 0 ? [screen.style("dim", `    and ${others} more`)] : []),
    "",
  ];
}

function clock(ms: number): string {
  return new Date(ms).toLocaleTimeString("en-GB", {
    fractionalSecondDigits: ms % 1_000 === 0 ? undefined : 1,
  });
}
