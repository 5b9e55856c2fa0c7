import type { Case, Figures, Target } from "./benchmark.ts";

/** A case, and what came out. */
export interface Line {
  readonly case: Case;
  readonly figures: Figures;
  /** Why there are no figures, in one line. */
  readonly notRun?: string | undefined;
}

/** A column of a table: its heading, and what a line has in it. */
export type Column = readonly [heading: string, text: (line: Line) => string | undefined];

/** Lines as a Markdown table that reads well as text; a column in which no line has anything is left out. */
export function markdownTable(columns: readonly Column[], lines: readonly Line[]): string {
  const cells = columns
    .map(([heading, text]) => [heading, "---", ...lines.map((line) => text(line) ?? "")])
    .filter(([, , ...texts]) => texts.some((text) => text !== ""))
    .map((column) => {
      const width = Math.max(...column.map((cell) => cell.length));
      return column.map((cell) => cell.padEnd(width, cell === "---" ? "-" : " "));
    });
  return ["", "", ...lines].map((_, at) => `| ${cells.map((column) => column[at]).join(" | ")} |\n`).join("");
}

/** A column of one figure, or of several with commas between. */
export function figures(
  heading: string,
  names: readonly string[],
  form: (figure: number) => string = String,
): Column {
  return [
    heading,
    ({ figures: all }) =>
      names
        .flatMap((name) => all[name] ?? [])
        .map((each) => form(each))
        .join(", "),
  ];
}

/** A number as people read it: thousands apart. */
export const readable = (figure: number): string => Math.round(figure).toLocaleString("en-US");
export const times = (ratio: number): string => `${ratio}x`;

export const CONTENDER: Column = ["contender", (line) => line.case.contender];
export const CPU: Column = figures("CPU µs/event", ["cpuMicrosPerEvent"]);
export const RATE: Column = figures("events/s", ["eventsPerSecond"], readable);
export const PEAK: Column = figures("peak MiB", ["rssMiB"], readable);

/** The column of targets. @param names of what is compared with, where that differs from target to target */
export function targets(names: Readonly<Record<string, string>> = {}): Column {
  const text = ({ ratio, atMost = Infinity, atLeast = 0 }: Target, figure = Number.NaN): string => {
    const bound = atLeast > 0 ? `at least ${atLeast}x` : `at most ${atMost}x`;
    const met = figure <= atMost && figure >= atLeast;
    return `${bound}${names[ratio] === undefined ? "" : ` of ${names[ratio]}`}: ${met ? "met" : "missed"}`;
  };
  return [
    "target",
    ({ case: { targets: all = [] }, figures: found, notRun }) =>
      notRun === undefined ? all.map((each) => text(each, found[each.ratio])).join(", ") : undefined,
  ];
}
